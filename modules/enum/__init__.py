"""ENUM (RFC 6116): `enum(number)` finds the SIP URIs that the DNS holds for a telephone number.

Rule 1: what stands in the DNS is of strangers: a regular expression that could take long is refused before it runs.
Rule 2: only sip and sips URIs come out, in the order of the records; a record that is of no use is passed over.
Rule 3: the walk asks and is told, as the locator does, so that all of it is tested without a network.
"""
