"""The routing language: text to tree, tree to checked tree, checked tree to a Python code object.

Rule 1: the grammar holds control flow only; whatever acts is a function that a module declares, and whatever can be
read is a property that a table declares, both handed in as an `Environment`. Rule 2: a route file is checked
completely before it runs: every name is resolved and every constant converted at load. Rule 3: nothing here imports
the runtime or a module, so the checker runs without a server.
"""
