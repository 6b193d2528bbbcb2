"""A certificate for AWS's names on this machine, of an authority that exists for this one signature.

The authority's key is never written down: nobody can sign another name with what engines and containers are told to
trust, and it is limited to these names besides (RFC 5280, 4.2.1.10).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = timedelta(days=3650)
_CLOCKS = timedelta(days=1)
"""Clocks of machines differ."""


@dataclass(frozen=True)
class Certificates:
    """All PEM."""

    authority: bytes
    certificate: bytes
    key: bytes


def certificates(
    issuer: str, names: Sequence[str], domains: Sequence[str], addresses: Sequence[str] = ()
) -> Certificates:
    """For these host names (`*.` stands for one label) and addresses, from now on for ten years, by an authority that
    is called `issuer` and may sign for `domains` and what is below them, and for these addresses."""
    signer, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    signed_by = _name(issuer)
    places = [x509.IPAddress(ip_network(address)) for address in addresses]
    allowed = x509.NameConstraints([*(x509.DNSName(domain) for domain in domains), *places], None)
    hosts = [*(x509.DNSName(name) for name in names), *(x509.IPAddress(ip_address(each)) for each in addresses)]
    authority = (
        _builder(signed_by, signed_by, signer.public_key(), signer.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(allowed, critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(signer, hashes.SHA256())
    )
    certificate = (
        _builder(_name(names[0][:64]), signed_by, key.public_key(), signer.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_usage(signs=False), critical=True)
        .sign(signer, hashes.SHA256())
    )
    unencrypted = serialization.NoEncryption()
    return Certificates(
        authority.public_bytes(serialization.Encoding.PEM),
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted),
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, signer: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    """With both key identifiers: strict verifiers (Python's from 3.13 on) want them (RFC 5280, 4.2.1.1)."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
