"""What kinds of keys there are, and what each may be used for
(https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SYMMETRIC = "SYMMETRIC_DEFAULT"
ENCRYPT = "ENCRYPT_DECRYPT"
SIGN = "SIGN_VERIFY"
MAC = "GENERATE_VERIFY_MAC"
AGREE = "KEY_AGREEMENT"

_RSA_SIGNING = (
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
)
_RSA_ENCRYPTION = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")


@dataclass(frozen=True)
class Spec:
    """One KeySpec: the algorithms of each KeyUsage that it allows."""

    algorithms: Mapping[str, tuple[str, ...]]
    size: int = 0
    """Bits of an RSA modulus, bytes of symmetric material."""

    @property
    def asymmetric(self) -> bool:
        """Whether there is a public key."""
        return SIGN in self.algorithms or AGREE in self.algorithms


def _rsa(bits: int) -> Spec:
    return Spec({ENCRYPT: _RSA_ENCRYPTION, SIGN: _RSA_SIGNING}, bits)


def _mac(bits: int) -> Spec:
    return Spec({MAC: (f"HMAC_SHA_{bits}",)}, bits // 8)


SPECS: Mapping[str, Spec] = {
    SYMMETRIC: Spec({ENCRYPT: (SYMMETRIC,)}, 32),
    "RSA_2048": _rsa(2048),
    "RSA_3072": _rsa(3072),
    "RSA_4096": _rsa(4096),
    "ECC_NIST_P256": Spec({SIGN: ("ECDSA_SHA_256",), AGREE: ("ECDH",)}),
    "ECC_NIST_P384": Spec({SIGN: ("ECDSA_SHA_384",), AGREE: ("ECDH",)}),
    "ECC_NIST_P521": Spec({SIGN: ("ECDSA_SHA_512",), AGREE: ("ECDH",)}),
    "ECC_SECG_P256K1": Spec({SIGN: ("ECDSA_SHA_256",)}),
    "ECC_NIST_EDWARDS25519": Spec({SIGN: ("ED25519_SHA_512",)}),
    "HMAC_224": _mac(224),
    "HMAC_256": _mac(256),
    "HMAC_384": _mac(384),
    "HMAC_512": _mac(512),
}
"""By name. AWS has SM2 (in its regions of China), ED25519_PH_SHA_512 and post-quantum keys besides."""
