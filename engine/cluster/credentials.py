"""TLS between nodes from nothing but the key that all of them have: each makes its own certificate.

The key gives an authority: a key pair that every node derives alike (HKDF, RFC 5869), with which each signs
a certificate for its own name, made anew at its start. Both ends show theirs. Who has not the cluster's key
gets no connection, and no node is taken for another. Certificates of every key that is known are believed, so
that the key can be changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from config.schema import Config
from sip.hop import BETWEEN
from sip.io.tls import TlsContexts, TlsSettings

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (FIPS 186-5)
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
LIFE = timedelta(days=3650)  # a node's certificate lives no longer than its process


def keys_of(config: Config) -> tuple[Mapping[str, bytes], str]:
    """The secrets of the cluster by id, and the id of the one to use."""
    between = config.cluster.between
    assert between.key is not None, "a node of several has a key: config/cluster_faults.py"
    return {id: key.reveal().encode() for id, key in between.keys.items()}, between.key


def name_of(node: str) -> str:
    """What a node's certificate is for: a host name that leads nowhere."""
    return sha256(node.encode()).hexdigest()[:32] + BETWEEN


def contexts(folder: Path, node: str, secrets: Mapping[str, bytes], key: str, now: datetime) -> TlsContexts:
    """Contexts for the connections of this node. The files that they need are written to `folder`.

    Raises OSError when the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    certificate, private, trusted = folder / "node.pem", folder / "node.key", folder / "trusted.pem"
    signer = _authority(secrets[key])
    own = ec.generate_private_key(ec.SECP256R1())
    pem = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    private.unlink(missing_ok=True)
    private.touch(mode=0o600)
    private.write_bytes(pem)
    certificate.write_bytes(_pem(_issued(node, own.public_key(), signer, now)))
    trusted.write_bytes(b"".join(_pem(_root(_authority(secret), now)) for secret in secrets.values()))
    return TlsContexts(TlsSettings(certificate, private, ca=trusted, verify_clients="required"))


def _authority(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """The same key pair on every node. 64 bytes are taken so that none is likelier than another."""
    seed = HKDF(algorithm=hashes.SHA256(), length=64, salt=None, info=b"isogloss between nodes").derive(
        secret
    )
    return ec.derive_private_key(1 + int.from_bytes(seed) % (ORDER - 1), ec.SECP256R1())


def _subject(signer: ec.EllipticCurvePrivateKey) -> x509.Name:
    public = signer.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    )
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"nodes {sha256(public).hexdigest()[:16]}")])


def _root(signer: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    return (
        _begun(_subject(signer), signer, now)
        .public_key(signer.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(signer, hashes.SHA256())
    )


def _issued(
    node: str, public: ec.EllipticCurvePublicKey, signer: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.Certificate:
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a node")])
    return (
        _begun(name, signer, now)
        .public_key(public)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name_of(node))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .sign(signer, hashes.SHA256())
    )


def _begun(subject: x509.Name, signer: ec.EllipticCurvePrivateKey, now: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(_subject(signer))
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(now + LIFE)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
