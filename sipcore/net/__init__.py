"""The network edge: sockets, connections, DNS and the clock, on Trio; the only folder that has them.

Rule 1: the path of a message makes no task: one task for each socket, each stream connection, the timers, and each
slow call that somebody waits for. Rule 2: every entry into the stack ends in `Driver.settle`, which sends what the
stack put into its outbox and wakes in time for its timers. Rule 3: nothing a peer or a backend does ends a task of
the edge: a fault is reported, the connection or the call it concerns ends, and everybody else goes on.

What was decided by measuring (CPython 3.11, loopback, 600-byte datagrams): `recvfrom` makes less work than
`recvfrom_into` and a copy, and sending a batch's answers together costs 5 % less than one by one.
"""
