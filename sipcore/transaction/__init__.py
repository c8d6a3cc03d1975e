"""Transactions: the four state machines of RFC 3261 section 17 with RFC 6026 and RFC 4320, as tables.

Rule 1: a table row says what happens, `engine.py` only performs it. Rule 2: every state x event pair stands in a table
or in its `IGNORED` set. Rule 3: a transaction asks neither the time nor the network: it sets timers and puts packets
into the stack's outbox.
"""
