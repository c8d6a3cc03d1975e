"""One record of ENUM: its service, and what its substitution makes of a number."""

from __future__ import annotations

import pytest

from modules.enum.number import application_unique_string, domain_of
from modules.enum.rule import is_sip, uri_of
from sipcore.errors import Malformed

NUMBER = "+441164960348"


@pytest.mark.conformance("RFC 6116 3.1", "RFC 6116 3.2")
def test_a_number_and_its_domain() -> None:
    assert application_unique_string("+44-116-496-0348") == NUMBER
    assert application_unique_string("+44 (116) 496.0348") == NUMBER
    assert domain_of("+442079460148", "e164.arpa") == "8.4.1.0.6.4.9.7.0.2.4.4.e164.arpa"


@pytest.mark.parametrize("text", ["", "+", "1001", "00441164960348", "+44a", "+1234567890123456", "+\u0664", "+44;x=y"])
def test_what_is_no_number(text: str) -> None:
    assert application_unique_string(text) is None


@pytest.mark.conformance("RFC 6116 3.4.3", "RFC 6116 5.2")
@pytest.mark.parametrize(
    ("service", "sip"),
    [
        ("E2U+SIP", True),
        ("E2U+VOICE:TEL+SIP", True),  # compound
        ("SIP+E2U", True),  # as in RFC 2916
        ("E2U+SIPS", False),
        ("E2U+PRES", False),
        ("E2U+P-SIP", False),
        ("E2U", False),
        ("", False),
        ("SIP", False),
        ("X2Y+SIP", False),
    ],
)
def test_services(service: str, sip: bool) -> None:
    assert is_sip(service) is sip


@pytest.mark.conformance("RFC 6116 5.2")
@pytest.mark.parametrize(
    ("regexp", "uri"),
    [
        ("!^.*$!sip:info@example.com!", "sip:info@example.com"),
        (r"!^\+44(.*)$!sip:0\1@example.com!", "sip:01164960348@example.com"),
        ("!^.*$!sips:info@example.com!i", "sips:info@example.com"),
        ("#^.*$#sip:info!x@example.com#", "sip:info!x@example.com"),  # another delimiter
        (r"!^.*$!sip:info\!x@example.com!", "sip:info!x@example.com"),
        (r"!^\+(4)(4)!sip:\2\1\2\1\0@example.com!", "sip:4444+44@example.com"),
        (r"/^\+44(116)?(9)?/sip:a\2\\b@example.com/", r"sip:a\b@example.com"),
    ],
)
def test_what_a_record_makes_of_a_number(regexp: str, uri: str) -> None:
    assert uri_of(regexp, NUMBER).text == uri


@pytest.mark.row("C30")
@pytest.mark.parametrize(
    "regexp",
    [
        "", "!", "!!", "!!!", "!^.*$!", "!^.*$!sip:a@example.com", "!^.*$!sip:a@example.com!!", "!a!b!c!sip:x@y!",
        "!^.*$!sip:a@example.com!g", r"\^.*$\sip:a@example.com\ ".strip(), "0^.*$0sip:a@example.com0",
        r"!^.*$\!sip:a@example.com!", r"!^.*$!sip:\1@example.com!", r"!^.*$!\9!", "!^.*$!tel:+441164960348!",
        "!^.*$!mailto:a@example.com!", "!^.*$!http://example.com/!", "!^.*$!sip:a@b\r\nVia: x!", "!^.*$!sip:a b@c!",
        "!^.*$!sip:\xe9@example.com!", "!^.*$!sip:" + "a" * 600 + "@example.com!", "!^.*$!sip:<a>@example.com!",
        "!(.*)*x!sip:a@example.com!", r"!^\+49!sip:a@example.com!", "!^.*$!sip:@!", "!^.*$!nothing!",
    ],
)  # fmt: skip
def test_what_is_of_no_use(regexp: str) -> None:
    with pytest.raises(Malformed):
        uri_of(regexp, NUMBER)
