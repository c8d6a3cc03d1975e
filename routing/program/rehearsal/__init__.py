"""`ringway test`: the stories of `test` blocks performed by the real server, in a world made for each of them.

Rule 1: everything outside of the server is made here: time, phones, network, DNS, database, chance; so a story ends the
same way on every machine, and a minute of it takes a millisecond. Rule 2: the server is the one that runs, put together
from the same configuration; nothing of it is replaced but what would open a socket, a file or a thread. Rule 3: what is
expected is asked of what phones received, never of what the server thinks.
"""
