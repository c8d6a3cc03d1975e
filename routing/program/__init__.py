"""The program: configuration, command line, first start, start and stop.

Rule 1: this is the composition root, the only place that may import everything; nothing imports it. Rule 2: a command
imports what it needs when it runs, so that small commands start fast. Rule 3: a person who made a mistake is told
where it stands, what was expected, and what to do.
"""
