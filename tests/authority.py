"""A certificate authority for tests: certificates with the names SIP needs, in files, made in a millisecond each."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Files:
    """A certificate and its key, as names of files."""

    certificate: str
    key: str


class Authority:
    """Signs what it is asked to; its own certificate is in `file`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._count = 0
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} of the tests")])
        own = _builder(self._name, self._name, self._key, datetime.now(UTC) - DAY, DAY * 365)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.file = str(folder / f"{name}.pem")
        Path(self.file).write_bytes(_pem(own.sign(self._key, hashes.SHA256())))

    def issue(
        self,
        *,
        uris: Sequence[str] = (),
        names: Sequence[str] = (),
        addresses: Sequence[str] = (),
        common_name: str = "",
        begins: timedelta = -DAY,
        lives: timedelta = DAY * 90,
        name: str = "",
    ) -> Files:
        """A certificate with these subject alternative names, from `begins` from now; `name` is that of its files."""
        self._count += 1
        stem = self._folder / (name or f"certificate-{self._count}")
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])
        builder = _builder(subject, self._name, key, datetime.now(UTC) + begins, lives)
        alternatives: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri) for uri in uris]
        alternatives += [x509.DNSName(one) for one in names]
        alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=not common_name)
        files = Files(f"{stem}.pem", f"{stem}.key")
        Path(files.certificate).write_bytes(_pem(builder.sign(self._key, hashes.SHA256())))
        Path(files.key).write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begins: datetime, lives: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + lives)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
