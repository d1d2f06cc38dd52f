"""A certificate of our own making, so that TLS is there before anybody has bought one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = timedelta(days=397)  # what common clients accept at most
RENEW = timedelta(days=30)


def self_signed(names: Sequence[str], now: datetime) -> tuple[bytes, bytes]:
    """(certificate, key) in PEM for these host names and numeric addresses, the first of them the subject.

    P-256, valid from a day before `now` (clocks of phones are off) for `LIFE`. Raises ValueError for no name.
    """
    if not names:
        raise ValueError("a certificate needs a name")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def ensure(folder: Path, names: Sequence[str], now: datetime | None = None) -> tuple[Path, Path]:
    """Paths of a certificate for `names` and its key in `folder`, made when absent, other or soon to expire.

    The key is readable by its owner alone. Raises OSError when the folder cannot be written.
    """
    now = now or datetime.now(UTC)
    certificate, key = folder / "sip.pem", folder / "sip.key"
    if not (key.exists() and _serves(certificate, names, now)):
        folder.mkdir(parents=True, exist_ok=True)
        public, private = self_signed(names, now)
        _write(key, private, 0o600)
        _write(certificate, public, 0o644)
    return certificate, key


def _serves(path: Path, names: Sequence[str], now: datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    if certificate.not_valid_after_utc - RENEW < now:
        return False
    return all(_general_name(name) in list(held) for name in names)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replace a file at once, never readable by more than `mode` says."""
    draft = path.with_suffix(path.suffix + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
