"""What a session description says (RFC 8866, RFC 3264), and that it is given back as it came."""

from __future__ import annotations

import pytest

from sipcore.sdp import SessionDescription, parse_sdp

OFFER = """\
v=0
o=alice 2890844526 2890844527 IN IP4 host.anywhere.com
s=-
c=IN IP4 192.0.2.4
t=0 0
m=audio 49170 RTP/AVP 0 8 96 97 101
a=rtpmap:96 opus/48000/2
a=rtpmap:97 OPUS/48000
a=rtpmap:101 telephone-event/8000
a=ptime:20
m=video 51372 RTP/SAVPF 31 32 99
c=IN IP6 2001:DB8::0:1
b=AS:512
a=rtpmap:99 H264/90000
a=sendonly
"""


def sdp(text: str) -> SessionDescription:
    return parse_sdp(text.replace("\n", "\r\n").encode())


def audio(*lines: str, formats: str = "0", protocol: str = "RTP/AVP", session: str = "") -> SessionDescription:
    rows = ["v=0", "c=IN IP4 192.0.2.4", *filter(None, [session]), f"m=audio 4000 {protocol} {formats}", *lines]
    return sdp("\n".join(rows) + "\n")


@pytest.mark.conformance("RFC 8866 5")
def test_an_offer_of_two_media() -> None:
    offer = sdp(OFFER)
    voice, video = offer.media
    assert (voice.media, voice.port, voice.protocol) == ("audio", 49170, "RTP/AVP")
    assert (video.media, video.port, video.protocol) == ("video", 51372, "RTP/SAVPF")
    assert voice.codecs == ["pcmu", "pcma", "opus", "telephone-event"]
    assert video.codecs == ["h261", "mpv", "h264"]
    assert offer.codecs == [*voice.codecs, *video.codecs]
    assert str(video) == "video 51372 RTP/SAVPF 31 32 99"


@pytest.mark.conformance("RFC 8866 5.7")
def test_the_address_of_a_medium_goes_before_that_of_the_session() -> None:
    offer = sdp(OFFER)
    assert [medium.address for medium in offer.media] == ["192.0.2.4", "2001:db8::1"]
    assert offer.address == offer.session_address == "192.0.2.4"


@pytest.mark.conformance("RFC 8866 6.7")
def test_the_direction_of_a_medium_goes_before_that_of_the_session() -> None:
    assert [medium.direction for medium in sdp(OFFER).media] == ["sendrecv", "sendonly"]
    assert sdp(OFFER).direction == "sendrecv"
    assert audio(session="a=recvonly").direction == "recvonly"
    assert audio("a=inactive", session="a=recvonly").direction == "inactive"
    assert audio("a=sendonly", "a=inactive").direction == "sendonly"


def test_audio_stands_for_all_media_wherever_it_is() -> None:
    text = "v=0\nc=IN IP4 192.0.2.4\nm=video 4 RTP/AVP 31\na=inactive\nm=audio 6 RTP/AVP 0\na=sendonly\n"
    assert sdp(text).direction == "sendonly"
    assert sdp(text.replace("audio", "text")).direction == "inactive"


def test_a_description_without_media_speaks_for_the_session() -> None:
    empty = sdp("v=0\ns=-\nc=IN IP4 192.0.2.4\na=recvonly\n")
    assert (empty.codecs, empty.media, empty.main) == ([], [], None)
    assert (empty.direction, empty.address, empty.held) == ("recvonly", "192.0.2.4", False)


@pytest.mark.parametrize(
    ("lines", "held"),
    [
        ((), False),
        (("a=recvonly",), False),
        (("a=sendonly",), True),
        (("a=inactive",), True),
        (("c=IN IP4 0.0.0.0",), True),
        (("c=IN IP6 ::",), True),
        (("a=sendonly", "m=video 4002 RTP/AVP 31"), False),
        (("a=sendonly", "m=video 4002 RTP/AVP 31", "a=inactive"), True),
        (("a=sendonly", "m=video 0 RTP/AVP 31"), True),
    ],
)
@pytest.mark.conformance("RFC 3264 8.4")
def test_hold(lines: tuple[str, ...], held: bool) -> None:
    assert audio(*lines).held is held


@pytest.mark.parametrize(
    ("formats", "protocol", "lines", "codecs"),
    [
        ("0 8 18", "RTP/AVP", (), ["pcmu", "pcma", "g729"]),
        ("96", "RTP/AVP", (), []),
        ("96 96", "RTP/AVP", ("a=rtpmap:96 iLBC/8000",), ["ilbc"]),
        ("0", "RTP/AVP", ("a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000"), ["pcmu"]),
        ("111", "UDP/TLS/RTP/SAVPF", ("a=rtpmap:111 opus/48000/2",), ["opus"]),
        ("111", "rtp/avp", ("a=rtpmap:111 opus/48000/2",), ["opus"]),
        ("T38", "udptl", (), ["t38"]),
        ("*", "TCP/MSRP", (), ["*"]),
        ("webrtc-datachannel", "UDP/DTLS/SCTP", (), ["webrtc-datachannel"]),
    ],
)
@pytest.mark.conformance("RFC 8866 6.6")
def test_the_names_of_encodings(formats: str, protocol: str, lines: tuple[str, ...], codecs: list[str]) -> None:
    assert audio(*lines, formats=formats, protocol=protocol).codecs == codecs


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("c=IN IP4 192.0.2.9", "192.0.2.9"),
        ("c=IN IP4 233.252.0.1/127/3", "233.252.0.1"),
        ("c=IN IP6 FF00::DB8:0:101/3", "ff00::db8:0:101"),
        ("c=IN IP4 Media.Example.COM", "media.example.com"),
        ("c=IN IP6 media.example.com", "media.example.com"),
        ("c=ATM NSAP 47.0091.8100", "47.0091.8100"),
    ],
)
@pytest.mark.conformance("RFC 8866 5.7")
def test_addresses(line: str, address: str) -> None:
    assert audio(line).address == address


LOSSLESS = [
    OFFER,
    OFFER.replace("\n", "\r\n"),
    OFFER.rstrip("\n"),
    OFFER + "\n",
    OFFER.replace("\n", "\r\n") + "\r\n\r\n",
    OFFER.replace("t=0 0\n", "t=0 0\r\n"),
    "v=0\r\nx=a line nobody knows\r\nz= 2882844526 -1h\r\nm=audio 0 RTP/AVP 0\r\ny=\xe9\r\n",
    "v=0\ni=\nk=\n",
]


@pytest.mark.parametrize("text", LOSSLESS, ids=range(len(LOSSLESS)))
def test_what_is_written_is_what_was_read(text: str) -> None:
    body = text.encode("latin-1")
    assert parse_sdp(body).write() == body


def test_bytes_that_are_no_utf8_are_kept() -> None:
    found = parse_sdp(b"v=0\r\nm=audio 0 RTP/AVP 96\r\na=rtpmap:96 \xff\xfe/8000\r\na=note:\xff\r\n")
    assert found.codecs == ["\udcff\udcfe"]
    assert found.write().endswith(b"a=note:\xff\r\n")
