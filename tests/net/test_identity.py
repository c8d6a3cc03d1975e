"""Which domains a certificate speaks for: RFC 5922 section 7, rule by rule."""

from __future__ import annotations

import pytest

from sipcore.net.identity import Certificate, identities, speaks_for


def certificate(*names: tuple[str, str], common_name: str = "") -> Certificate:
    """As `getpeercert` gives it."""
    found: dict[str, object] = {"subject": ((("organizationName", "x"),), (("commonName", common_name),))}
    if names:
        found["subjectAltName"] = names
    return found


SIP, DNS, MAIL = ("URI", "sip:example.com"), ("DNS", "sip.example.net"), ("email", "a@example.org")


@pytest.mark.conformance("RFC 5922 7.1")
@pytest.mark.parametrize(
    ("shown", "domains"),
    [
        (certificate(SIP), ("example.com",)),
        (certificate(SIP, ("URI", "SIP:Example.NET")), ("example.com", "example.net")),
        (certificate(DNS), ("sip.example.net",)),
        (certificate(DNS, SIP), ("example.com",)),  # a DNS name counts only without a SIP URI
        (certificate(DNS, ("URI", "sips:example.com")), ("sip.example.net",)),
        (certificate(DNS, ("URI", "https://example.com")), ("sip.example.net",)),
        (certificate(DNS, ("URI", "sip:bob@example.com")), ("sip.example.net",)),  # a person
        (certificate(DNS, ("URI", "sip:exa mple.com")), ("sip.example.net",)),
        (certificate(("URI", "sip:example.com:5061;transport=tls")), ("example.com",)),
        (certificate(("URI", "sip:192.0.2.1")), ("192.0.2.1",)),
        (certificate(common_name="Old.example.com"), ("old.example.com",)),
        (certificate(SIP, common_name="old.example.com"), ("example.com",)),
        (certificate(MAIL, common_name="old.example.com"), ()),  # any alternative name silences the common name
        (certificate(("IP Address", "192.0.2.1"), common_name="old.example.com"), ()),
        (certificate(common_name="Bob of Example"), ()),
        (certificate(), ()),
        ({}, ()),
    ],
)  # fmt: skip
def test_domains_of_a_certificate(shown: Certificate, domains: tuple[str, ...]) -> None:
    assert identities(shown) == domains


@pytest.mark.conformance("RFC 5922 7.2")
@pytest.mark.row("A26b")
@pytest.mark.parametrize(
    ("name", "domain", "good"),
    [
        ("example.com", "example.com", True),
        ("example.com", "EXAMPLE.com.", True),
        ("example.com", "sip.example.com", False),
        ("sip.example.com", "example.com", False),
        ("*.example.com", "sip.example.com", False),
        (".example.com", "sip.example.com", False),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", True),
        ("example.com", "", False),
    ],
)
def test_names_are_compared_whole_and_without_wildcards(name: str, domain: str, good: bool) -> None:
    assert speaks_for(certificate(("DNS", name)), domain) is good


def test_a_certificate_without_any_domain_speaks_for_nobody() -> None:
    assert not speaks_for({}, "")
    assert not speaks_for(certificate(MAIL), "a@example.org")


def test_the_domains_of_a_certificate_are_bounded() -> None:
    many = certificate(*(("DNS", f"{number}.example.com") for number in range(1_000)))
    assert len(identities(many)) == 64
