"""Digest credentials, responses and challenges: the RFCs' own vectors, and broken input (rows D15-D21)."""

from __future__ import annotations

import hashlib
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipcore.digest import (
    ALGORITHMS,
    MD5,
    STRONGEST_FIRST,
    algorithms_named,
    challenge,
    expected_response,
    ha1,
    parse_credentials,
    right_response,
)
from sipcore.errors import Malformed

SHA_256 = ALGORITHMS["sha-256"]
SHA_512_256 = ALGORITHMS["sha-512-256"]

# RFC 7616 section 3.9.1; the MD5 and the SHA-256 answer to the same challenge.
RFC_7616 = (
    b'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=%b, '
    b'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, '
    b'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="%b", '
    b'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
USUAL = (
    b'Digest username="alice", realm="example.com", nonce="n1", uri="sip:example.com", response="00", '
    b'cnonce="c1", qop=auth, nc=0000000a, algorithm=MD5'
)


@pytest.mark.row("D18")
@pytest.mark.conformance("RFC 7616 3.9")
@pytest.mark.parametrize(
    ("name", "response"),
    [
        (b"MD5", b"8ca523f5e9506fed4657c9700eebdbec"),
        (b"SHA-256", b"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_vectors_of_rfc_7616(name: bytes, response: bytes) -> None:
    credentials = parse_credentials(RFC_7616 % (name, response))
    assert credentials is not None and credentials.algorithm is not None
    secret = ha1(credentials.algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
    assert right_response(credentials, credentials.algorithm, secret, "GET")
    assert not right_response(credentials, credentials.algorithm, secret, "POST")
    other = ha1(credentials.algorithm, "Mufasa", "http-auth@example.org", "circle of life")
    assert not right_response(credentials, credentials.algorithm, other, "GET")


@pytest.mark.conformance("RFC 7616 3.9.1")
def test_the_vector_of_rfc_2617() -> None:
    credentials = parse_credentials(
        b'Digest username="Mufasa",realm="testrealm@host.com",nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",'
        b'uri="/dir/index.html",qop=auth,nc=00000001,cnonce="0a4f113b",'
        b'response="6629fae49393a05397450978507c4ef1",opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    assert credentials is not None and credentials.algorithm is MD5
    secret = ha1(MD5, "Mufasa", "testrealm@host.com", "Circle Of Life")
    assert secret == "939e7578ed9e3c518a452acee763bce9"
    assert right_response(credentials, MD5, secret, "GET")


@pytest.mark.row("D18")
@pytest.mark.conformance("RFC 7616 3.9")
def test_sha_512_256_is_not_a_cut_sha_512() -> None:
    # The userhash printed in RFC 7616 section 3.9.2 is the first half of SHA-512, so its response can't be right
    # either; the true SHA-512/256 of the same text begins like this.
    text = "J\u00e4s\u00f8n Doe:api@example.org".encode()
    assert SHA_512_256.hash(text).startswith("793263caabb707a5")
    assert (
        hashlib.sha512(text).hexdigest().startswith("488869477bf257147b804c45308cd62ac4e25eb717b12b298c79e62dcea254ec")
    )


@pytest.mark.row("D18")
@pytest.mark.conformance("RFC 7616 3.4.1", "RFC 7616 3.4.2")
@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=lambda algorithm: algorithm.name)
def test_every_algorithm_by_the_formula_of_rfc_7616(algorithm: object) -> None:
    assert algorithm in ALGORITHMS.values()
    name = algorithm.name  # type: ignore[attr-defined]
    library = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}[name.removesuffix("-sess")]

    def h(text: str) -> str:
        return hashlib.new(library, text.encode()).hexdigest()

    value = USUAL.replace(b"algorithm=MD5", b"algorithm=" + name.encode())
    credentials = parse_credentials(value)
    assert credentials is not None and credentials.algorithm is not None
    stored = h("alice:example.com:secret")
    used = h(f"{stored}:n1:c1") if name.endswith("-sess") else stored
    expected = h(f"{used}:n1:0000000a:c1:auth:{h('REGISTER:sip:example.com')}")
    assert expected_response(credentials, credentials.algorithm, stored, "REGISTER") == expected
    assert credentials.algorithm.family == name.removesuffix("-sess")


@pytest.mark.conformance("RFC 7616 3.4.1")
def test_without_qop_it_is_calculated_as_in_rfc_2069() -> None:
    credentials = parse_credentials(b'Digest username="a",realm="r",nonce="n",uri="sip:r",response="0"')
    assert credentials is not None and credentials.qop == "" and credentials.nonce_count == 0
    ha2 = hashlib.md5(b"INVITE:sip:r").hexdigest()
    assert (
        expected_response(credentials, MD5, "f" * 32, "INVITE")
        == hashlib.md5(f"{'f' * 32}:n:{ha2}".encode()).hexdigest()
    )


@pytest.mark.conformance("RFC 7616 3.4")
def test_what_is_parsed() -> None:
    credentials = parse_credentials(USUAL)
    assert credentials is not None
    assert credentials.username == "alice" and credentials.realm == "example.com"
    assert credentials.nonce == "n1" and credentials.uri == "sip:example.com"
    assert credentials.nonce_count == 10 and credentials.qop == "auth"


@pytest.mark.conformance("RFC 7616 3.4")
@pytest.mark.parametrize(
    "value",
    [
        USUAL.replace(b"Digest", b"dIGEST"),
        USUAL.replace(b", ", b"\t ,  \t"),
        USUAL.replace(b"=", b" = "),
        USUAL.replace(b"qop=auth", b'qop="auth"').replace(b"nc=0000000a", b'nc="0000000A"'),
        USUAL + b', opaque="", auth-param=1',
        USUAL.replace(b"username", b"USERNAME"),
    ],
)
def test_spellings_that_are_accepted(value: bytes) -> None:
    credentials = parse_credentials(value)
    assert credentials is not None and credentials.username == "alice" and credentials.nonce_count == 10


def test_quoted_pairs_are_undone_in_names_only() -> None:
    credentials = parse_credentials(USUAL.replace(b'"alice"', rb'"al\"i\\ce"').replace(b'"n1"', rb'"n\"1"'))
    assert credentials is not None
    assert credentials.username == 'al"i\\ce'
    assert credentials.nonce == 'n\\"1'  # as it was hashed


@pytest.mark.row("D21")
@pytest.mark.parametrize(
    "value", [b"Basic YWxpY2U6c2VjcmV0", b"Bearer abc", b"DigestX a=b", b"NoOneKnowsThisScheme opaque-data=here", b""]
)
def test_other_schemes_are_none_of_ours(value: bytes) -> None:
    assert parse_credentials(value) is None


@pytest.mark.row("D15", "D20")
@pytest.mark.conformance("RFC 7616 3.4")
@pytest.mark.parametrize(
    "value",
    [
        b"Digest",
        b"Digest ",
        b"Digest ,,,=",
        b"Digest =",
        b'Digest username="alice',
        b'Digest username="alice\\"',
        USUAL + b",",
        USUAL + b' realm="x"',
        USUAL + b', realm="example.com"',
        USUAL.replace(b", uri=", b", , uri="),
        USUAL.replace(b'"alice"', b"al ice"),
        USUAL.replace(b'username="alice", ', b""),
        USUAL.replace(b'realm="example.com", ', b""),
        USUAL.replace(b'nonce="n1", ', b""),
        USUAL.replace(b'uri="sip:example.com", ', b""),
        USUAL.replace(b'response="00", ', b""),
        USUAL.replace(b'cnonce="c1", ', b""),
        USUAL.replace(b'cnonce="c1"', b'cnonce=""'),
        USUAL.replace(b", nc=0000000a", b""),
        USUAL.replace(b"nc=0000000a", b"nc=00000000"),
        USUAL.replace(b"nc=0000000a", b"nc=1"),
        USUAL.replace(b"nc=0000000a", b"nc=0000000g"),
        USUAL.replace(b"nc=0000000a", b"nc=000000010"),
        USUAL.replace(b"nc=0000000a", b"nc=-0000001"),
        USUAL.replace(b"nc=0000000a", "nc=0000000\u0661".encode()),
        b"Digest username*=UTF-8''alice" + USUAL[len(b'Digest username="alice"') :],
    ],
)
def test_broken_credentials_are_malformed(value: bytes) -> None:
    with pytest.raises(Malformed) as raised:
        parse_credentials(value)
    assert raised.value.status == 400
    assert raised.value.reason.isascii() and "\n" not in raised.value.reason


@pytest.mark.row("D16")
@pytest.mark.conformance("RFC 8760 2.4")
def test_an_unknown_algorithm_and_qop_are_left_to_the_caller() -> None:
    credentials = parse_credentials(USUAL.replace(b"MD5", b"SHA-1024").replace(b"qop=auth", b"qop=auth-int"))
    assert credentials is not None and credentials.algorithm is None and credentials.qop == "auth-int"


@pytest.mark.row("D19")
def test_a_user_name_that_is_no_utf_8_is_kept_byte_for_byte() -> None:
    credentials = parse_credentials(USUAL.replace(b"alice", b"al\xff\xfe"))
    assert credentials is not None and credentials.username.encode("utf-8", "surrogateescape") == b"al\xff\xfe"
    assert len(expected_response(credentials, MD5, "f" * 32, "REGISTER")) == 32


@pytest.mark.row("B33", "D20")
@pytest.mark.parametrize("piece", [b"\\a", b'a="b",', b'a="', b" ,", b"\t", b'"', b"=", b"a=b ,", b"\\"])
def test_hostile_values_take_linear_time(piece: bytes) -> None:
    def steps(count: int) -> float:
        value = b"Digest " + piece * count
        begun = time.perf_counter()
        with pytest.raises(Malformed):
            parse_credentials(value)
        return time.perf_counter() - begun

    # Quadratic time would be seconds here; a generous bound, so that a busy machine fails nothing.
    assert min(steps(40_000) for _ in range(3)) < 1.0


@given(st.binary(max_size=300))
def test_any_bytes_parse_or_are_malformed(value: bytes) -> None:
    for text in (value, b"Digest " + value, USUAL + b"," + value):
        try:
            credentials = parse_credentials(text)
        except Malformed:
            continue
        if credentials is not None and credentials.algorithm is not None:
            assert re.fullmatch("[0-9a-f]+", expected_response(credentials, credentials.algorithm, "00", "INVITE"))


@pytest.mark.conformance("RFC 7616 3.3", "RFC 3261 22.1")
def test_challenges() -> None:
    assert challenge("example.com", "abc", SHA_256) == (
        b'Digest realm="example.com", nonce="abc", qop="auth", algorithm=SHA-256'
    )
    assert challenge("example.com", "abc", MD5, stale=True).endswith(b"algorithm=MD5, stale=true")


@pytest.mark.conformance("RFC 8760 2.3")
def test_the_strongest_algorithm_comes_first_however_it_was_written() -> None:
    assert [one.name for one in algorithms_named(["md5", "SHA-512-256", "sha-256"])] == [
        "SHA-512-256",
        "SHA-256",
        "MD5",
    ]
    assert algorithms_named(["MD5"]) == (MD5,)
    assert [one.name for one in STRONGEST_FIRST] == ["SHA-512-256", "SHA-256", "MD5"]
    with pytest.raises(ValueError, match="SHA-256"):
        algorithms_named(["SHA-1"])
