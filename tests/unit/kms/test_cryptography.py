"""What is calculated with keys."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding

from clary.keys import material
from tests.unit.kms.test_keys import after

BAD = ("InvalidCiphertextException", "")


def test_a_ciphertext_names_its_key(kms):
    key, other = kms.create(), kms.create()
    blob = kms.encrypt(key)
    opened = kms("Decrypt", CiphertextBlob=blob)
    assert (opened["KeyId"], opened["Plaintext"]) == (kms.arn(key), b"secret")
    assert kms.decrypt(blob, KeyId=key) == b"secret"
    text = "The key ID in the request does not identify a CMK that can perform this operation."
    assert kms.refusal("Decrypt", CiphertextBlob=blob, KeyId=other) == ("IncorrectKeyException", text)
    assert b"secret" not in blob
    assert kms.encrypt(key) != blob


def test_the_context_is_part_of_a_ciphertext(kms):
    blob = kms.encrypt(kms.create(), EncryptionContext={"a": "1", "b": "2"})
    assert kms.decrypt(blob, EncryptionContext={"b": "2", "a": "1"}) == b"secret"
    for context in ({}, {"a": "1"}, {"a": "1", "b": "3"}):
        assert kms.refusal("Decrypt", CiphertextBlob=blob, EncryptionContext=context) == BAD


def test_a_changed_ciphertext_is_refused_at_any_byte(kms):
    blob = kms.encrypt(kms.create())
    for place in range(0, len(blob), 5):
        changed = blob[:place] + bytes([blob[place] ^ 0x10]) + blob[place + 1 :]
        assert kms.refusal("Decrypt", CiphertextBlob=changed)[0] in (BAD[0], "AccessDeniedException")
    for piece in (b"x", blob[:-1], blob[:40]):
        assert kms.refusal("Decrypt", CiphertextBlob=piece) == BAD


def test_re_encryption_changes_key_and_context(kms):
    one, two = kms.create(), kms.create()
    blob = kms.encrypt(one, EncryptionContext={"a": "1"})
    said = kms(
        "ReEncrypt",
        CiphertextBlob=blob,
        SourceEncryptionContext={"a": "1"},
        DestinationKeyId=two,
        DestinationEncryptionContext={"b": "2"},
    )
    assert (said["SourceKeyId"], said["KeyId"]) == (kms.arn(one), kms.arn(two))
    assert kms.decrypt(said["CiphertextBlob"], EncryptionContext={"b": "2"}) == b"secret"


def test_material_is_sealed_at_rest_under_a_file_for_its_owner_only(kms):
    key = kms.create()
    row = kms.inner.store.read.by_arn(kms.arn(key))
    folder = kms.inner.settings.data_dir
    path = folder / "root.key"
    assert path.stat().st_mode & 0o777 == 0o600
    secret = material.opened(material.root(folder), key, row.state["materials"][0])
    for file in folder.glob("clary.db*"):
        assert secret not in file.read_bytes()


def test_another_root_key_is_said_so(kms, monkeypatch):
    key = kms.create()
    blob = kms.encrypt(key)
    monkeypatch.setattr(material, "root", lambda _folder: material.TextSealer(os.urandom(32)))
    code, text = kms.refusal("Decrypt", CiphertextBlob=blob)
    assert code == "KMSInternalException"
    assert "root.key" in text


def test_data_keys(kms):
    key = kms.create()
    made = kms("GenerateDataKey", KeyId=key, KeySpec="AES_256", EncryptionContext={"a": "b"})
    assert len(made["Plaintext"]) == 32
    assert kms.decrypt(made["CiphertextBlob"], EncryptionContext={"a": "b"}) == made["Plaintext"]
    assert len(kms("GenerateDataKey", KeyId=key, KeySpec="AES_128")["Plaintext"]) == 16
    assert len(kms("GenerateDataKey", KeyId=key, NumberOfBytes=77)["Plaintext"]) == 77
    without = kms("GenerateDataKeyWithoutPlaintext", KeyId=key, KeySpec="AES_256")
    assert "Plaintext" not in without
    assert len(kms.decrypt(without["CiphertextBlob"])) == 32
    text = "Please specify either number of bytes or key spec."
    assert kms.refusal("GenerateDataKey", KeyId=key) == ("ValidationException", text)
    text = "The request would have succeeded, but the DryRun option is set."
    asked = {"KeyId": key, "KeySpec": "AES_256", "DryRun": True}
    assert kms.refusal("GenerateDataKey", **asked) == ("DryRunOperationException", text)


def test_data_key_pairs(kms):
    key = kms.create()
    made = kms("GenerateDataKeyPair", KeyId=key, KeyPairSpec="ECC_NIST_P256")
    private = serialization.load_der_private_key(made["PrivateKeyPlaintext"], None)
    assert serialization.load_der_public_key(made["PublicKey"]) == private.public_key()
    assert kms.decrypt(made["PrivateKeyCiphertextBlob"]) == made["PrivateKeyPlaintext"]
    without = kms("GenerateDataKeyPairWithoutPlaintext", KeyId=key, KeyPairSpec="ECC_NIST_EDWARDS25519")
    assert "PrivateKeyPlaintext" not in without


def test_random_bytes(kms):
    assert len(kms("GenerateRandom", NumberOfBytes=1024)["Plaintext"]) == 1024
    assert kms.refusal("GenerateRandom") == ("ValidationException", "NumberOfBytes is required.")


def test_rsa_encrypts_for_whoever_has_the_public_key(kms):
    key = kms.of("RSA_2048", "ENCRYPT_DECRYPT")
    algorithm = "RSAES_OAEP_SHA_256"
    blob = kms.encrypt(key, EncryptionAlgorithm=algorithm)
    assert kms.decrypt(blob, KeyId=key, EncryptionAlgorithm=algorithm) == b"secret"
    public = serialization.load_der_public_key(kms("GetPublicKey", KeyId=key)["PublicKey"])
    blob = public.encrypt(b"mine", padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    assert kms.decrypt(blob, KeyId=key, EncryptionAlgorithm=algorithm) == b"mine"
    assert (
        kms.refusal(
            "Decrypt", CiphertextBlob=blob[:-1] + bytes([blob[-1] ^ 1]), KeyId=key, EncryptionAlgorithm=algorithm
        )
        == BAD
    )
    text = "Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than 190 bytes."
    asked = {"KeyId": key, "Plaintext": b"x" * 191, "EncryptionAlgorithm": algorithm}
    assert kms.refusal("Encrypt", **asked) == ("ValidationException", text)
    text = "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."
    assert kms.refusal("Encrypt", KeyId=key, Plaintext=b"x") == ("InvalidKeyUsageException", text)


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        ("RSA_2048", "RSASSA_PSS_SHA_256"),
        ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_512"),
        ("ECC_NIST_P384", "ECDSA_SHA_384"),
        ("ECC_SECG_P256K1", "ECDSA_SHA_256"),
        ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512"),
    ],
)
def test_signatures(kms, spec, algorithm):
    key = kms.of(spec, "SIGN_VERIFY")
    said = {"KeyId": key, "SigningAlgorithm": algorithm}
    signature = kms("Sign", Message=b"text", **said)["Signature"]
    assert kms("Verify", Message=b"text", Signature=signature, **said)["SignatureValid"]
    refused = kms.refusal("Verify", Message=b"other", Signature=signature, **said)
    assert refused == ("KMSInvalidSignatureException", "")
    assert kms.refusal("Verify", Message=b"text", Signature=b"x", **said)[0] == "KMSInvalidSignatureException"


def test_a_digest_is_signed_and_the_library_verifies_it(kms):
    key = kms.of("ECC_NIST_P256", "SIGN_VERIFY")
    digest = hashes.Hash(hashes.SHA256())
    digest.update(b"text")
    asked = {"KeyId": key, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms("Sign", Message=digest.finalize(), **asked)["Signature"]
    public = serialization.load_der_public_key(kms("GetPublicKey", KeyId=key)["PublicKey"])
    public.verify(signature, b"text", ec.ECDSA(hashes.SHA256()))
    text = "Digest is invalid length for algorithm ECDSA_SHA_256."
    assert kms.refusal("Sign", Message=b"short", **asked) == ("ValidationException", text)


def test_macs(kms):
    key = kms.of("HMAC_256", "GENERATE_VERIFY_MAC")
    said = {"KeyId": key, "MacAlgorithm": "HMAC_SHA_256"}
    made = kms("GenerateMac", Message=b"text", **said)["Mac"]
    assert kms("VerifyMac", Message=b"text", Mac=made, **said)["MacValid"]
    assert kms.refusal("VerifyMac", Message=b"other", Mac=made, **said) == ("KMSInvalidMacException", "")
    text = "Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256."
    asked = {"KeyId": key, "MacAlgorithm": "HMAC_SHA_512", "Message": b"x"}
    assert kms.refusal("GenerateMac", **asked) == ("InvalidKeyUsageException", text)
    text = f"{kms.arn(key)} key usage is GENERATE_VERIFY_MAC which is not valid for Encrypt."
    assert kms.refusal("Encrypt", KeyId=key, Plaintext=b"x") == ("InvalidKeyUsageException", text)


def test_two_keys_agree_on_a_secret(kms):
    ours, theirs = (kms.of("ECC_NIST_P256", "KEY_AGREEMENT") for _ in range(2))
    public = {key: kms("GetPublicKey", KeyId=key)["PublicKey"] for key in (ours, theirs)}
    asked = {"KeyAgreementAlgorithm": "ECDH"}
    shared = kms("DeriveSharedSecret", KeyId=ours, PublicKey=public[theirs], **asked)["SharedSecret"]
    assert kms("DeriveSharedSecret", KeyId=theirs, PublicKey=public[ours], **asked)["SharedSecret"] == shared
    assert kms.refusal("DeriveSharedSecret", KeyId=ours, PublicKey=b"x", **asked) == ("ValidationException", "")


def wrapped(kms, key, data, algorithm):
    asked = kms("GetParametersForImport", KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048")
    public = serialization.load_der_public_key(asked["PublicKey"])
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    if algorithm.startswith("RSA_AES"):
        inner = AESGCM.generate_key(256)
        blob = public.encrypt(inner, oaep) + aes_key_wrap_with_padding(inner, data)
    else:
        blob = public.encrypt(data, oaep)
    return {"KeyId": key, "ImportToken": asked["ImportToken"], "EncryptedKeyMaterial": blob}


def test_imported_material_is_used_expires_and_comes_back(kms):
    key, data = kms.create(Origin="EXTERNAL"), b"k" * 32
    pending = ("KMSInvalidStateException", f"{kms.arn(key)} is pending import.")
    assert kms.refusal("Encrypt", KeyId=key, Plaintext=b"x") == pending
    given = wrapped(kms, key, data, "RSAES_OAEP_SHA_256")
    text = "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"
    assert kms.refusal("ImportKeyMaterial", **given) == ("ValidationException", text)
    kms(
        "ImportKeyMaterial",
        ExpirationModel="KEY_MATERIAL_EXPIRES",
        ValidTo=datetime.now(UTC) + timedelta(days=2),
        **given,
    )
    assert kms("DescribeKey", KeyId=key)["KeyMetadata"]["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    blob = kms.encrypt(key)
    after(kms, 3)
    assert kms.refusal("Decrypt", CiphertextBlob=blob) == pending
    forever = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    other = wrapped(kms, key, b"o" * 32, "RSAES_OAEP_SHA_256")
    assert kms.refusal("ImportKeyMaterial", **forever, **other)[0] == "IncorrectKeyMaterialException"
    kms("ImportKeyMaterial", **forever, **given)
    assert kms.decrypt(blob) == b"secret"
    kms("DeleteImportedKeyMaterial", KeyId=key)
    assert kms.refusal("Decrypt", CiphertextBlob=blob) == pending


FOREVER = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}


def test_imported_material_is_rotated_to_other_that_was_imported_for_it(kms):
    key = kms.create(Origin="EXTERNAL")
    first = kms("ImportKeyMaterial", **FOREVER, **wrapped(kms, key, b"a" * 32, "RSAES_OAEP_SHA_256"))["KeyMaterialId"]
    none = f"No available key material pending rotation for the key: {kms.arn(key)}."
    assert kms.refusal("RotateKeyOnDemand", KeyId=key) == ("KMSInvalidStateException", none)
    old, new = kms.encrypt(key), {"ImportType": "NEW_KEY_MATERIAL", **FOREVER}
    given = wrapped(kms, key, b"b" * 32, "RSAES_OAEP_SHA_256")
    second = kms("ImportKeyMaterial", KeyMaterialDescription="next", **new, **given)["KeyMaterialId"]
    assert kms("DescribeKey", KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"] == first
    third = wrapped(kms, key, b"c" * 32, "RSAES_OAEP_SHA_256")
    code, text = kms.refusal("ImportKeyMaterial", **new, **third)
    assert code == "KMSInvalidStateException"
    assert text.endswith(f"because another key material (id: {second}) is pending rotation.")
    kms("RotateKeyOnDemand", KeyId=key)
    assert kms("DescribeKey", KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"] == second
    listed = kms("ListKeyRotations", KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [(each["KeyMaterialState"], each["ImportState"]) for each in listed] == [
        ("NON_CURRENT", "IMPORTED"),
        ("CURRENT", "IMPORTED"),
    ]
    assert listed[1]["KeyMaterialDescription"] == "next"
    assert kms.decrypt(old) == kms.decrypt(kms.encrypt(key)) == b"secret"
    kms("DeleteImportedKeyMaterial", KeyId=key, KeyMaterialId=first)
    waiting = kms("DescribeKey", KeyId=key)["KeyMetadata"]
    assert (waiting["KeyState"], waiting["CurrentKeyMaterialId"]) == ("PendingImport", second)
    again = wrapped(kms, key, b"a" * 32, "RSAES_OAEP_SHA_256")
    assert kms.refusal("ImportKeyMaterial", KeyMaterialId=second, **FOREVER, **again)[0].startswith("IncorrectKey")
    kms("ImportKeyMaterial", **FOREVER, **again)
    assert kms.decrypt(old) == b"secret"


def test_a_private_key_is_imported_under_a_wrapped_key(kms):
    key = kms.create(Origin="EXTERNAL", KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    private = material.private("ECC_NIST_P256")
    given = wrapped(kms, key, material.packed(private), "RSA_AES_KEY_WRAP_SHA_256")
    kms("ImportKeyMaterial", ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE", **given)
    assert kms("GetPublicKey", KeyId=key)["PublicKey"] == material.public(private)


def test_imports_that_are_refused(kms):
    key, other = kms.create(Origin="EXTERNAL"), kms.create(Origin="EXTERNAL")
    forever = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    given = wrapped(kms, key, b"k" * 32, "RSAES_OAEP_SHA_256")
    assert kms.refusal("ImportKeyMaterial", **{**given, **forever, "KeyId": other})[0] == "InvalidImportTokenException"
    short = wrapped(kms, key, b"k" * 31, "RSAES_OAEP_SHA_256")
    assert kms.refusal("ImportKeyMaterial", **short, **forever)[0] == "IncorrectKeyMaterialException"
    broken = {**given, **forever, "EncryptedKeyMaterial": b"x" * 256}
    assert kms.refusal("ImportKeyMaterial", **broken)[0] == "InvalidCiphertextException"
    own = kms.create()
    asked = {"KeyId": own, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
    text = f"{kms.arn(own)} origin is AWS_KMS which is not valid for this operation."
    assert kms.refusal("GetParametersForImport", **asked) == ("UnsupportedOperationException", text)
