"""Whose lists and tags count where a request names a version: the version's own."""

import pytest

from clary.calls import Access, Call, Principal
from clary.identity.principals import canonical_user
from clary.objects import Attributes, ObjectStore
from clary.objects.errors import NoSuchBucket
from clary.services.s3.granting import ExistingTags, Granting

FRIEND = Principal("user", "222222222222", "arn", "arn", "u")
READ = {"Grants": [{"Grantee": {"ID": canonical_user(FRIEND.account), "Type": "CanonicalUser"}, "Permission": "READ"}]}


@pytest.fixture
def store(tmp_path):
    opened = ObjectStore(tmp_path / "objects")
    settings = {
        "Versioning": {"Status": "Enabled"},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]},
    }
    opened.create_bucket("b", account="1", region="us-east-1", settings=settings)
    yield opened
    opened.close()


@pytest.fixture
def versions(store):
    """The first one is tagged, and its list lets the friend read; the second one has neither."""
    open_one = store.put_bytes("b", "k", b"1", Attributes(acl=READ, tags={"is": "open"}))
    return open_one.version, store.put_bytes("b", "k", b"2").version


def asked(version):
    right = "s3:GetObject" if version is None else "s3:GetObjectVersion"
    return Access(right, "arn:aws:s3:::b/k", {} if version is None else {"s3:VersionId": version})


def test_a_list_lets_somebody_read_the_version_that_it_is_of_and_no_other(store, versions):
    grants = Granting(store)
    call = Call(FRIEND, "s3", "GetObject", {}, "us-east-1")
    first, second = versions
    found = [grants(call, asked(version)) for version in (first, second, None, "no id")]
    assert found == ["account", "nobody", "nobody", "nobody"]


def test_of_a_bucket_that_is_not_there_nothing_is_granted_but_it_may_be_made(store):
    grants = Granting(store)
    call = Call(FRIEND, "s3", "GetObject", {}, "us-east-1")
    with pytest.raises(NoSuchBucket):
        grants(call, Access("s3:GetObject", "arn:aws:s3:::missing/k"))
    assert grants(call, Access("s3:CreateBucket", "arn:aws:s3:::missing")) == "nobody"
    assert grants(call, Access("sqs:SendMessage", "arn:aws:sqs:us-east-1:000000000000:q")) == "nobody"


def test_tags_are_those_of_the_version(store, versions):
    tags = ExistingTags(store)
    first, second = versions
    assert tags(asked(first)) == {"s3:existingobjecttag/is": "open"}
    assert [tags(asked(version)) for version in (second, None, "no id")] == [{}, {}, {}]
