"""The first start, and starts after it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from clary.errors import ClaryError
from clary.gateway.identity import Identity
from clary.identity.defaults import role_arn
from clary.identity.sealing import key_path, load_key
from clary.services.iam.bootstrap import credentials_path, default_credentials, ensure_defaults, role_credentials
from clary.services.iam.publication import publish
from clary.settings import Settings
from clary.store import Store

from .conftest import ACCOUNT, Cloud
from .test_roles import SAGEMAKER, refused


def kept(settings: Settings) -> dict[str, str]:
    found: dict[str, str] = json.loads(credentials_path(settings).read_text())
    return found


def test_the_default_identity_is_a_session_of_the_default_role(cloud: Cloud) -> None:
    assert cloud.owner.kind == "assumed-role"
    assert cloud.owner.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/ClaryExecutionRole/clary"
    assert cloud.owner.identity == f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
    assert cloud.may(cloud.owner, "anything:AtAll")
    assert cloud.identity.find(**_asked(kept(cloud.settings))).secret_key == kept(cloud.settings)["secret_access_key"]


def _asked(key: dict[str, str]) -> dict[str, str | None]:
    return {"access_key_id": key["access_key_id"], "session_token": None}


def test_secrets_are_their_owners_only(cloud: Cloud) -> None:
    secret = (
        credentials_path(cloud.settings),
        key_path(cloud.settings.data_dir),
        cloud.settings.run_dir / "identity.json",
    )
    assert [stat.S_IMODE(path.stat().st_mode) for path in secret] == [0o600] * 3


def test_a_second_start_changes_nothing(cloud: Cloud) -> None:
    before, generation = kept(cloud.settings), cloud.identity.directory()
    ensure_defaults(cloud.store, cloud.settings)
    assert kept(cloud.settings) == before
    assert cloud.identity.directory() is generation


def test_after_a_reset_the_key_is_the_same(cloud: Cloud) -> None:
    before = kept(cloud.settings)
    cloud.store.write(lambda transaction: transaction.clear())
    publish(cloud.store.read, cloud.settings)
    with refused("InvalidClientTokenId", 403):
        cloud.identity.find(before["access_key_id"], None)
    ensure_defaults(cloud.store, cloud.settings)
    assert cloud.identity.find(before["access_key_id"], None).secret_key == before["secret_access_key"]


@pytest.mark.parametrize("text", [None, "", "{}", "[]", '{"access_key_id": 1'])
def test_a_lost_or_damaged_key_file_makes_a_new_key_and_ends_the_old(cloud: Cloud, text: str | None) -> None:
    before, path = kept(cloud.settings), credentials_path(cloud.settings)
    path.unlink()
    if text is not None:
        path.write_text(text)
    ensure_defaults(cloud.store, cloud.settings)
    assert kept(cloud.settings)["access_key_id"] != before["access_key_id"]
    assert cloud.identity.find(kept(cloud.settings)["access_key_id"], None)
    with refused("InvalidClientTokenId", 403):
        cloud.identity.find(before["access_key_id"], None)


def test_temporary_credentials_of_the_default_identity(cloud: Cloud) -> None:
    found = default_credentials(cloud.settings, hours=1)
    assert set(found) == {"AccessKeyId", "SecretAccessKey", "Token", "Expiration", "RoleArn"}
    credential = cloud.identity.find(found["AccessKeyId"], found["Token"])
    assert credential.secret_key == found["SecretAccessKey"]
    assert credential.principal.arn == cloud.owner.arn
    assert cloud.may(credential.principal, "anything:AtAll")


def test_credentials_of_a_job_are_its_roles(cloud: Cloud) -> None:
    arn = cloud.ask("CreateRole", RoleName="r", Path="/p/", AssumeRolePolicyDocument=SAGEMAKER)["Role"]["Arn"]
    cloud.ask("AttachRolePolicy", RoleName="r", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    found = role_credentials(cloud.settings, arn, "SageMaker", 3600)
    principal = cloud.identity.find(found["AccessKeyId"], found["Token"]).principal
    assert principal.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/r/SageMaker"
    assert cloud.may(principal, "s3:GetObject", "arn:aws:s3:::b/k")
    assert not cloud.may(principal, "s3:PutObject", "arn:aws:s3:::b/k")


def test_a_role_that_does_not_exist_may_nothing(cloud: Cloud) -> None:
    found = role_credentials(cloud.settings, f"arn:aws:iam::{ACCOUNT}:role/none", "x", 3600)
    assert not cloud.may(cloud.identity.find(found["AccessKeyId"], found["Token"]).principal, "s3:GetObject")


def test_before_control_has_published_nobody_is_known(tmp_path: Path) -> None:
    with refused("InvalidClientTokenId", 403):
        Identity(Settings(data_dir=tmp_path)).find("AKIAIOSFODNN7EXAMPLE", None)


def test_a_damaged_sealing_key_is_said_in_one_line(tmp_path: Path) -> None:
    key_path(tmp_path).write_bytes(b"short")
    with pytest.raises(ClaryError, match=r"secret\.key is damaged\. Remove it"):
        load_key(key_path(tmp_path))


def test_the_first_key_goes_with_the_account(cloud: Cloud) -> None:
    other = Settings(data_dir=cloud.settings.data_dir, account_id="999999999999")
    ensure_defaults(cloud.store, other)
    identity = Identity(other)
    found = identity.find(kept(other)["access_key_id"], None).principal
    assert (found.account, found.identity) == (
        other.account_id,
        f"arn:aws:iam::{other.account_id}:role/ClaryExecutionRole",
    )
    assert set(identity.directory().identities["subjects"]) == {role_arn(ACCOUNT), role_arn(other.account_id)}


def test_a_store_that_is_opened_again_publishes_the_same(cloud: Cloud) -> None:
    ann = cloud.user("ann")
    cloud.store.close()
    store = Store(cloud.settings.database)
    ensure_defaults(store, cloud.settings)
    assert Identity(cloud.settings).find(ann.access_key_id, None).principal == ann
    store.close()
