"""The stateful, forking proxy of RFC 3261 section 16: `relay` and `ring` for routes, in-dialog requests by itself.

Rule 1: a request inside a dialog finds its way, and its From and To, by the Record-Route token alone, on any worker,
also after a restart. Rule 2: a response context (section 16.7) lives on the server transaction; when the last branch
ends, nothing is left. Rule 3: decisions are pure functions (`forwarding`, `best_response`, `route_set`, `sides`,
`loop`); branches and the response context only carry them out.

A Record-Route token is the HMAC of the Call-ID: it proves that we let this dialog begin, so that nobody can use an
invented To tag and Route to be relayed without authentication. Where a side can be reached by the connection it has
made and by no other, the token carries the name of that connection too (RFC 5626 section 5.2), under the same HMAC:
it is good for this call only. Then there are two Record-Route values, one for each side, also between equal transports.

Where a route shows the callee another From or To, the token of the caller's side carries both versions, encrypted, and
is good for the caller's tag only: the side of a request on which this tag stands tells who is asking.
"""
