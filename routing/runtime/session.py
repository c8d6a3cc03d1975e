"""What routes can read of a session description: `request.sdp`, `branch.sdp`, `reply.sdp`.

It is parsed when the first of it is read, and kept with the message. `present` alone asks without parsing.
"""

from __future__ import annotations

from collections.abc import Sequence

from routing.language.environment import Property
from routing.language.types import CODEC, DIRECTION, MEDIA_ADDRESS, MEDIUM, NUMBER, SDP, TEXT, TRUTH, list_of
from sipcore.message import Message
from sipcore.sdp import MediaDescription, SessionDescription


class NoDescription:
    """Stands for the description of a message that has none: everything is empty."""

    codecs: Sequence[str] = ()
    media: Sequence[MediaDescription] = ()
    direction = address = ""
    held = False


_NONE = NoDescription()


def session(message: Message) -> SessionDescription | NoDescription:
    """The session description of a message; `Malformed` when there is one that can't be understood."""
    return message.sdp or _NONE


SDP_PROPERTY = Property("sdp", SDP, "it", "The session description in the body; everything is empty without one.")
"""What stands behind `request`, `branch` and `reply`; the message stands for it, so that nothing is parsed yet."""

SESSION_PROPERTIES = (
    Property("present", TRUTH, "it.has_sdp()", "Whether there is one; asked without reading it."),
    Property("codecs", list_of(CODEC), "session(it).codecs", "The encodings of all media, each once, in order."),
    Property("media", list_of(MEDIUM), "session(it).media", "The media, in order."),
    Property("direction", DIRECTION, "session(it).direction", "Which way the first audio (or the first medium) flows."),
    Property("address", MEDIA_ADDRESS, "session(it).address", "The address or name it is to be sent to."),
    Property("hold", TRUTH, "session(it).held", "Whether all media are on hold."),
)

MEDIUM_PROPERTIES = (
    Property("type", TEXT, "it.media", "`audio`, `video`, `image`, ... in lower case."),
    Property("codecs", list_of(CODEC), "it.codecs", "Its encodings, most wanted first; its formats when it is no RTP."),
    Property("direction", DIRECTION, "it.direction", "`sendrecv`, `sendonly`, `recvonly` or `inactive`."),
    Property("port", NUMBER, "it.port", "Its port; 0 when it is refused or switched off."),
    Property("protocol", TEXT, "it.protocol", "`RTP/AVP`, `UDP/TLS/RTP/SAVPF`, `udptl`, ..."),
    Property("address", MEDIA_ADDRESS, "it.address", "The address or name it is to be sent to."),
    Property("hold", TRUTH, "it.held", "Whether it is on hold."),
)
