"""What decides about each request: the language, its runtime, and the program that puts everything together.

Rule 1: `language` knows SIP messages and nothing of sockets or modules. Rule 2: `runtime` is what modules are written
against. Rule 3: `program` is the only place that may import everything.
"""
