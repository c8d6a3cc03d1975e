"""Digest authentication of users of the served domains: `authenticate` for routes (RFC 3261 section 22, RFC 8760).

Rule 1: a challenge costs no memory, and neither does a wrong answer. Rule 2: who asks can't tell an unknown user from
a wrong password, neither by the answer nor by the time it takes. Rule 3: the operator can: every refusal is reported
with its reason.
"""
