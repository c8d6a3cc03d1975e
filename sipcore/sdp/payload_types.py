"""The encodings that need no `a=rtpmap`: the static payload types of RFC 3551 section 6."""

from __future__ import annotations

STATIC = {
    "0": "pcmu", "3": "gsm", "4": "g723", "5": "dvi4", "6": "dvi4", "7": "lpc", "8": "pcma", "9": "g722", "10": "l16",
    "11": "l16", "12": "qcelp", "13": "cn", "14": "mpa", "15": "g728", "16": "dvi4", "17": "dvi4", "18": "g729",
    "25": "celb", "26": "jpeg", "28": "nv", "31": "h261", "32": "mpv", "33": "mp2t", "34": "h263",
}  # fmt: skip
"""Payload type to the name of its encoding, in lower case: names differ in case from phone to phone."""
