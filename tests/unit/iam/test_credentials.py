"""Passwords, devices, certificates and keys of users; the account's own settings and reports."""

from __future__ import annotations

import csv
import io
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from clary.errors import AccessDenied
from clary.identity import totp
from clary.services.iam.use import note

from .conftest import ACCOUNT, Cloud
from .test_roles import SAGEMAKER, refused


class TestPasswords:
    def test_a_password_is_never_kept_in_clear(self, cloud: Cloud) -> None:
        ann = cloud.user("ann")
        made = cloud.ask("CreateLoginProfile", UserName="ann", Password="first-one!", PasswordResetRequired=True)
        assert made["LoginProfile"]["PasswordResetRequired"]
        assert "first-one" not in repr([row for row in cloud.store.read.rows("user") if row.state.get("login")])
        cloud.ask("UpdateAccountPasswordPolicy", AllowUsersToChangePassword=True)
        with refused("AccessDenied", 403):
            cloud.ask("ChangePassword", ann, OldPassword="wrong", NewPassword="second-one!")
        cloud.ask("ChangePassword", ann, OldPassword="first-one!", NewPassword="second-one!")
        assert not cloud.ask("GetLoginProfile", UserName="ann")["LoginProfile"]["PasswordResetRequired"]
        with refused("DeleteConflict", 409):
            cloud.ask("DeleteUser", UserName="ann")
        cloud.ask("DeleteLoginProfile", UserName="ann")
        with refused("NoSuchEntity", 404) as error:
            cloud.ask("GetLoginProfile", UserName="ann")
        assert error.value.message == "Login Profile for User ann cannot be found."

    def test_the_accounts_policy_is_asked(self, cloud: Cloud) -> None:
        cloud.ask("CreateUser", UserName="ann")
        with refused("NoSuchEntity", 404) as error:
            cloud.ask("GetAccountPasswordPolicy")
        assert error.value.message == f"The Password Policy with domain name {ACCOUNT} cannot be found."
        cloud.ask("UpdateAccountPasswordPolicy", RequireNumbers=True, PasswordReusePrevention=2, MaxPasswordAge=90)
        kept = cloud.ask("GetAccountPasswordPolicy")["PasswordPolicy"]
        assert (kept["ExpirePasswords"], kept["MinimumPasswordLength"]) == (True, 6)
        with refused("PasswordPolicyViolation", 400):
            cloud.ask("CreateLoginProfile", UserName="ann", Password="no-number")
        cloud.ask("CreateLoginProfile", UserName="ann", Password="number-1")
        with refused("PasswordPolicyViolation", 400):
            cloud.ask("UpdateLoginProfile", UserName="ann", Password="number-1")
        cloud.ask("DeleteAccountPasswordPolicy")
        cloud.ask("UpdateLoginProfile", UserName="ann", Password="no-number")

    def test_who_may_not_change_a_password(self, cloud: Cloud) -> None:
        ann = cloud.user("ann")
        cloud.ask("CreateLoginProfile", UserName="ann", Password="first-one!")
        granted: list[str] = []
        with refused("InvalidUserType", 400):
            cloud.ask("ChangePassword", OldPassword="first-one!", NewPassword="second-one!")
        with pytest.raises(AccessDenied):
            cloud.ask("ChangePassword", ann, OldPassword="first-one!", NewPassword="second-one!")
        assert granted == []


class TestDevices:
    def codes(self, seed: str) -> tuple[str, str]:
        step = int(time.time()) // totp.STEP_SECONDS - 3
        return totp.code(seed, step), totp.code(seed, step + 1)

    def device(self, cloud: Cloud) -> tuple[str, str]:
        made = cloud.ask("CreateVirtualMFADevice", VirtualMFADeviceName="phone")["VirtualMFADevice"]
        serial, seed = made["SerialNumber"], made["Base32StringSeed"].decode()
        first, second = self.codes(seed)
        cloud.ask("EnableMFADevice", UserName="ann", SerialNumber=serial, AuthenticationCode1=first,
                  AuthenticationCode2=second)  # fmt: skip
        return serial, seed

    def test_codes_are_really_checked(self, cloud: Cloud) -> None:
        ann = cloud.user("ann")
        serial, seed = self.device(cloud)
        assert [each["SerialNumber"] for each in cloud.ask("ListMFADevices", UserName="ann")["MFADevices"]] == [serial]
        for wrong in ("000000", totp.code(seed, 1), "١٢٣٤٥٦"):
            with refused("AccessDenied", 403) as error:
                cloud.ask("GetSessionToken", ann, SerialNumber=serial, TokenCode=wrong)
        assert "invalid MFA one time pass code" in error.value.message

    def test_a_session_with_a_code_counts_as_one_with_a_device(self, cloud: Cloud) -> None:
        ann = cloud.user("ann", "IAMReadOnlyAccess")
        serial, seed = self.device(cloud)
        code = totp.code(seed, int(time.time()) // totp.STEP_SECONDS)
        answer = cloud.ask("GetSessionToken", ann, SerialNumber=serial, TokenCode=code)
        with_code = cloud.principal(answer["Credentials"])
        assert with_code.session_context["aws:MultiFactorAuthPresent"] == "true"
        assert cloud.ask("GetUser", with_code, UserName="ann")
        with refused("AccessDenied", 403):  # a code counts once
            cloud.ask("GetSessionToken", ann, SerialNumber=serial, TokenCode=code)
        without = cloud.principal(cloud.ask("GetSessionToken", ann)["Credentials"])
        with refused("InvalidClientTokenId", 403):
            cloud.ask("GetUser", without, UserName="ann")

    def test_a_device_that_is_in_use(self, cloud: Cloud) -> None:
        cloud.ask("CreateUser", UserName="ann")
        serial, _ = self.device(cloud)
        with refused("DeleteConflict", 409):
            cloud.ask("DeleteVirtualMFADevice", SerialNumber=serial)
        (shown,) = cloud.ask("ListVirtualMFADevices", AssignmentStatus="Assigned")["VirtualMFADevices"]
        assert shown["User"]["UserName"] == "ann"
        cloud.ask("DeactivateMFADevice", UserName="ann", SerialNumber=serial)
        cloud.ask("DeleteVirtualMFADevice", SerialNumber=serial)
        assert cloud.ask("ListVirtualMFADevices")["VirtualMFADevices"] == []

    def test_a_device_is_not_set_back_to_codes_that_have_counted(self, cloud: Cloud) -> None:
        """Who has seen three codes must not be able to use the last one again."""
        ann = cloud.user("ann")
        serial, seed = self.device(cloud)
        seen = totp.code(seed, int(time.time()) // totp.STEP_SECONDS)
        cloud.ask("GetSessionToken", ann, SerialNumber=serial, TokenCode=seen)
        first, second = self.codes(seed)
        with refused("InvalidAuthenticationCode", 403):
            cloud.ask("ResyncMFADevice", UserName="ann", SerialNumber=serial, AuthenticationCode1=first,
                      AuthenticationCode2=second)  # fmt: skip
        with refused("AccessDenied", 403):
            cloud.ask("GetSessionToken", ann, SerialNumber=serial, TokenCode=seen)

    def test_two_codes_that_are_not_of_the_device(self, cloud: Cloud) -> None:
        cloud.ask("CreateUser", UserName="ann")
        serial = cloud.ask("CreateVirtualMFADevice", VirtualMFADeviceName="p")["VirtualMFADevice"]["SerialNumber"]
        with refused("InvalidAuthenticationCode", 403):
            cloud.ask("EnableMFADevice", UserName="ann", SerialNumber=serial, AuthenticationCode1="123456",
                      AuthenticationCode2="654321")  # fmt: skip

    def test_codes_are_those_of_rfc_6238(self) -> None:
        seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # the RFC's, its codes' last six digits
        assert [totp.code(seed, at // 30) for at in (59, 1111111109, 20000000000)] == ["287082", "081804", "353130"]


@pytest.fixture(scope="module")
def pair() -> tuple[str, str, str]:
    """A certificate, its private key and its public key for SSH."""
    private = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=9))
        .sign(private, hashes.SHA256())
    )
    return (
        certificate.public_bytes(Encoding.PEM).decode(),
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(),
    )


class TestCertificates:
    def test_a_servers_key_is_not_given_back(self, cloud: Cloud, pair: tuple[str, str, str]) -> None:
        certificate, private, _ = pair
        asked = {"ServerCertificateName": "C", "CertificateBody": certificate, "PrivateKey": private}
        made = cloud.ask("UploadServerCertificate", **asked)["ServerCertificateMetadata"]
        assert made["Expiration"] > datetime.now(UTC)
        assert private not in repr(cloud.store.read.rows("server-certificate"))
        cloud.ask("UpdateServerCertificate", ServerCertificateName="C", NewServerCertificateName="D", NewPath="/x/")
        found = cloud.ask("GetServerCertificate", ServerCertificateName="D")["ServerCertificate"]
        assert found["CertificateBody"] == certificate
        listed = cloud.ask("ListServerCertificates", PathPrefix="/x/")["ServerCertificateMetadataList"]
        assert [each["ServerCertificateName"] for each in listed] == ["D"]
        cloud.ask("DeleteServerCertificate", ServerCertificateName="D")
        with refused("NoSuchEntity", 404):
            cloud.ask("GetServerCertificate", ServerCertificateName="D")

    def test_what_is_no_certificate_or_not_its_key(self, cloud: Cloud, pair: tuple[str, str, str]) -> None:
        certificate, private, _ = pair
        with refused("MalformedCertificate", 400):
            cloud.ask("UploadServerCertificate", ServerCertificateName="C", CertificateBody="x", PrivateKey=private)
        with refused("MalformedCertificate", 400):
            cloud.ask("UploadServerCertificate", ServerCertificateName="C", CertificateBody=certificate,
                      PrivateKey=private, CertificateChain="x")  # fmt: skip
        other = rsa.generate_private_key(65537, 2048)
        text = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        with refused("KeyPairMismatch", 400):
            cloud.ask(
                "UploadServerCertificate", ServerCertificateName="C", CertificateBody=certificate, PrivateKey=text
            )

    def test_users_follow_to_a_new_name_with_all_that_is_theirs(self, cloud: Cloud, pair: tuple[str, str, str]) -> None:
        certificate, _, public = pair
        cloud.ask("CreateUser", UserName="ann")
        signing = cloud.ask("UploadSigningCertificate", UserName="ann", CertificateBody=certificate)["Certificate"]
        key = cloud.ask("UploadSSHPublicKey", UserName="ann", SSHPublicKeyBody=public)["SSHPublicKey"]
        cloud.ask("UpdateUser", UserName="ann", NewUserName="eve")
        cloud.ask("UpdateSSHPublicKey", UserName="eve", SSHPublicKeyId=key["SSHPublicKeyId"], Status="Inactive")
        (listed,) = cloud.ask("ListSSHPublicKeys", UserName="eve")["SSHPublicKeys"]
        assert (listed["Status"], listed["UserName"]) == ("Inactive", "eve")
        pem = cloud.ask("GetSSHPublicKey", UserName="eve", SSHPublicKeyId=key["SSHPublicKeyId"], Encoding="PEM")
        assert pem["SSHPublicKey"]["SSHPublicKeyBody"].startswith("-----BEGIN PUBLIC KEY-----")
        with refused("DeleteConflict", 409):
            cloud.ask("DeleteUser", UserName="eve")
        cloud.ask("DeleteSigningCertificate", UserName="eve", CertificateId=signing["CertificateId"])
        cloud.ask("DeleteSSHPublicKey", UserName="eve", SSHPublicKeyId=key["SSHPublicKeyId"])
        cloud.ask("DeleteUser", UserName="eve")

    def test_a_key_that_is_none(self, cloud: Cloud) -> None:
        cloud.ask("CreateUser", UserName="ann")
        with refused("InvalidPublicKey", 400):
            cloud.ask("UploadSSHPublicKey", UserName="ann", SSHPublicKeyBody="ssh-rsa AAAA")


class TestAccount:
    def test_an_alias(self, cloud: Cloud) -> None:
        cloud.ask("CreateAccountAlias", AccountAlias="my-lab")
        assert cloud.ask("ListAccountAliases")["AccountAliases"] == ["my-lab"]
        for bad in ("-x-", "123456789012", "a--b"):
            with refused("ValidationError", 400):
                cloud.ask("CreateAccountAlias", AccountAlias=bad)
        cloud.ask("DeleteAccountAlias", AccountAlias="my-lab")
        with refused("NoSuchEntity", 404):
            cloud.ask("DeleteAccountAlias", AccountAlias="my-lab")

    def test_the_summary_counts(self, cloud: Cloud) -> None:
        before = cloud.ask("GetAccountSummary")["SummaryMap"]
        cloud.ask("CreateUser", UserName="ann")
        after = cloud.ask("GetAccountSummary")["SummaryMap"]
        assert (after["Users"], before["Users"]) == (1, 0)
        assert after["UsersQuota"] == 5000

    def test_all_details_page_by_page(self, cloud: Cloud) -> None:
        cloud.user("ann", "AmazonS3FullAccess")
        cloud.ask("CreateGroup", GroupName="g")
        cloud.ask("AddUserToGroup", GroupName="g", UserName="ann")
        cloud.ask("CreateRole", RoleName="r", AssumeRolePolicyDocument=SAGEMAKER)
        found, more = [], {}
        while True:
            answer = cloud.ask("GetAccountAuthorizationDetails", MaxItems=2, **more)
            for member in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"):
                found += [each["Arn"].rpartition("/")[2] for each in answer[member]]
            if not answer["IsTruncated"]:
                break
            more = {"Marker": answer["Marker"]}
        assert {"ann", "g", "r", "ClaryExecutionRole", "AmazonS3FullAccess", "AdministratorAccess"} <= set(found)
        assert len(found) == len(set(found))
        only = cloud.ask("GetAccountAuthorizationDetails", Filter=["User"])
        assert [each["GroupList"] for each in only["UserDetailList"]] == [["g"]]
        assert only["Policies"] == only["RoleDetailList"] == []

    def test_the_credential_report(self, cloud: Cloud) -> None:
        with refused("ReportNotPresent", 410):
            cloud.ask("GetCredentialReport")
        cloud.user("ann")
        assert cloud.ask("GenerateCredentialReport") == {"State": "COMPLETE"}
        report = cloud.ask("GetCredentialReport")["Content"].decode()
        (line,) = csv.DictReader(io.StringIO(report))
        assert (line["user"], line["access_key_1_active"], line["access_key_1_last_used_date"]) == (
            "ann",
            "true",
            "N/A",
        )

    def test_when_keys_and_roles_were_last_used(self, cloud: Cloud) -> None:
        ann = cloud.user("ann", "IAMReadOnlyAccess")
        key = {"AccessKeyId": ann.access_key_id}
        never = cloud.ask("GetAccessKeyLastUsed", **key)
        assert never == {"UserName": "ann", "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"}}
        cloud.ask("GetUser", ann, UserName="ann")
        cloud.ask("ListRoles")
        note(cloud.store, {"uses": cloud.identity.uses.taken()})
        used = cloud.ask("GetAccessKeyLastUsed", **key)["AccessKeyLastUsed"]
        assert (used["ServiceName"], used["Region"]) == ("iam", "us-east-1")
        assert datetime.now(UTC) - used["LastUsedDate"] < timedelta(minutes=1)
        assert cloud.ask("GetRole", RoleName="ClaryExecutionRole")["Role"]["RoleLastUsed"]["Region"] == "us-east-1"
        assert cloud.identity.uses.taken()


def test_a_group_takes_its_members_to_a_new_name(cloud: Cloud) -> None:
    cloud.ask("CreateGroup", GroupName="g")
    cloud.ask("CreateUser", UserName="ann")
    cloud.ask("AddUserToGroup", GroupName="g", UserName="ann")
    cloud.ask("UpdateGroup", GroupName="g", NewGroupName="h", NewPath="/x/")
    assert [each["Arn"] for each in cloud.ask("ListGroupsForUser", UserName="ann")["Groups"]] == [
        f"arn:aws:iam::{ACCOUNT}:group/x/h"
    ]
    with refused("NoSuchEntity", 404):
        cloud.ask("GetGroup", GroupName="g")


def test_providers_are_kept(cloud: Cloud) -> None:
    asked = {"Url": "https://id.example.com/realm/", "ClientIDList": ["a"], "ThumbprintList": ["0" * 40]}
    arn = cloud.ask("CreateOpenIDConnectProvider", **asked)["OpenIDConnectProviderArn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:oidc-provider/id.example.com/realm"
    cloud.ask("AddClientIDToOpenIDConnectProvider", OpenIDConnectProviderArn=arn, ClientID="b")
    cloud.ask("RemoveClientIDFromOpenIDConnectProvider", OpenIDConnectProviderArn=arn, ClientID="a")
    cloud.ask("TagOpenIDConnectProvider", OpenIDConnectProviderArn=arn, Tags=[{"Key": "k", "Value": "v"}])
    found = cloud.ask("GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
    assert (found["Url"], found["ClientIDList"], len(found["Tags"])) == ("id.example.com/realm", ["b"], 1)
    with refused("EntityAlreadyExists", 409):
        cloud.ask("CreateOpenIDConnectProvider", **asked)
    for bad in ("http://id.example.com", "https://[", "https://a@b", "https://id.example.com?x=1", "https://../x y"):
        with refused("ValidationError", 400):
            cloud.ask("CreateOpenIDConnectProvider", Url=bad)
    cloud.ask("DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
    assert cloud.ask("ListOpenIDConnectProviders")["OpenIDConnectProviderList"] == []
    body = '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" validUntil="2100-01-01T00:00:00Z"/>'
    document = body + " " * (1000 - len(body))
    saml = cloud.ask("CreateSAMLProvider", Name="s", SAMLMetadataDocument=document)["SAMLProviderArn"]
    assert cloud.ask("GetSAMLProvider", SAMLProviderArn=saml)["ValidUntil"].year == 2100
    for bad in ("<x/>", "<!DOCTYPE x>" + body, "no"):
        with refused("InvalidInput", 400):
            cloud.ask("UpdateSAMLProvider", SAMLProviderArn=saml, SAMLMetadataDocument=bad.ljust(1000))
    cloud.ask("DeleteSAMLProvider", SAMLProviderArn=saml)
    assert cloud.ask("ListSAMLProviders")["SAMLProviderList"] == []
