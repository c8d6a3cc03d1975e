"""A certificate that vouches for itself: enough for a start, until somebody whom peers trust has signed one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LONGEST_COMMON_NAME = 64
"""RFC 5280, appendix A.1."""


def self_signed(names: Sequence[str], now: float, days: int) -> tuple[bytes, bytes]:
    """A certificate for these domains or addresses, and its key, both as PEM text; ValueError for a bad name.

    Each name is there as a SIP URI (RFC 5922 section 7.1), and as a DNS name or address for clients that know no other.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:_LONGEST_COMMON_NAME])])
    begins = datetime.fromtimestamp(now, UTC) - timedelta(hours=1)  # phones' clocks differ
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        # So that it can be imported wherever authorities are.
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return certificate, key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _alternatives(names: Sequence[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        host = f"[{name}]" if ":" in name else name
        found += [x509.UniformResourceIdentifier(f"sip:{host}"), _as_host(name)]
    return found


def _as_host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
