"""Session descriptions (RFC 8866, RFC 3264): every line kept as received and in order, what is asked for typed.

Rule 1: writing a description gives back the very bytes that were read, unknown lines included. Rule 2: what is missing
and not needed is forgiven, what is wrong raises `Malformed`, and nothing else does. Rule 3: reading takes time in
proportion to the text, and what may multiply has a bound.
"""

from sipcore.sdp.line import MOST_LINES, Line
from sipcore.sdp.media import MediaDescription
from sipcore.sdp.session import MOST_MEDIA, SessionDescription, parse_sdp

__all__ = ["MOST_LINES", "MOST_MEDIA", "Line", "MediaDescription", "SessionDescription", "parse_sdp"]
