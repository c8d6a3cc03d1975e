"""The SIP stack without sockets: bytes and time in, packets and calls out.

Rule 1: nothing here but `sipcore.net` opens a socket, reads a clock, draws a random number or starts a task; all of
these are handed in. Rule 2: protocol rules are tables, one noun is one file, and the name is the RFC's. Rule 3: a
module imports only what stands below it: errors, uri, flow, timers, tokens, need, digest, facts < message <
transaction < locate, stack < net.
"""
