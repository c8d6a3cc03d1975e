"""The registrar of RFC 3261 section 10: `save`, `lookup` and `exists` for routes.

Rule 1: what a REGISTER changes is decided by a pure function (`register.update`) and happens completely or not at all.
Rule 2: memory follows the store: a binding is looked up, and a 200 is sent, only after it is durable. Rule 3: one
REGISTER at a time for each address of record, in the order of arrival (section 10.3).
"""
