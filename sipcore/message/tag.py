"""Our tag in the To of a response: the same for a request that is repeated after we forgot it (RFC 3261 8.2.7)."""

from __future__ import annotations

from sipcore.message.message import Request
from sipcore.tokens import Tokens


def tag_for(request: Request, tokens: Tokens) -> str:
    """The tag of every response of ours to a request, and to its CANCEL (RFC 3261 section 9.2).

    The topmost Via must have been marked with the source, which is what a retransmission has in common with it too.
    """
    return tokens.tag(request.call_id + request.via.value)
