"""An authority of a cluster's own, which signs the certificates of its nodes and fronts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFE = timedelta(days=2)


class Authority:
    """pem: its own certificate."""

    def __init__(self, name: str = "cluster") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        begun = self._begun(self._subject).public_key(self._key.public_key())
        begun = begun.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.pem = _pem(begun.sign(self._key, hashes.SHA256()))

    def issue(self, *names: str) -> tuple[bytes, bytes]:
        """(certificate, key) in PEM for host names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        named = x509.SubjectAlternativeName([_named(each) for each in names])
        begun = self._begun(subject).public_key(key.public_key()).add_extension(named, critical=False)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return _pem(begun.sign(self._key, hashes.SHA256())), private

    def _begun(self, subject: x509.Name) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + LIFE)
        )


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
