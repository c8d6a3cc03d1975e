"""The network edge: sockets, connections, DNS and the clock, on Trio; the only folder that has them.

Rule 1: the path of a message makes no task: one task for each socket, each stream connection, the timers, and each
slow call that somebody waits for. Rule 2: every entry into the stack ends in `Driver.settle`, which sends what the
stack put into its outbox and wakes in time for its timers. Rule 3: nothing a peer or a backend does ends a task of
the edge: a fault is reported, the connection or the call it concerns ends, and everybody else goes on.

Decided by measuring (CPython 3.11, loopback, 600-byte datagrams, CPU time): an echo of one datagram out of a full
socket buffer takes 6.3 us, 5 of them in the kernel. `recvfrom` takes 0.2 us less than `recvfrom_into` and a copy;
sending a batch's answers together takes 2 % less than one by one. A waking takes 35 us and leaves cold caches behind:
gathering datagrams for 5 ms while they come fast took 130 us off a proxied call of 440 us at 1,000 calls a second.
"""
