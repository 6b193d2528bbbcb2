"""A bucket, a role that may do what a test says, and hosts with empty bundles."""

from __future__ import annotations

import pytest

from clary.calls import Principal
from clary.errors import AccessDenied
from clary.objects import ObjectStore
from clary.workload.bundle import Bundle, make_folder
from clary.workload.channels import Placing
from clary.workload.hosts import hosts_of
from clary.workload.storage import RoleStorage
from tests.kms import OneKey

ROLE = "arn:aws:iam::000000000000:role/R"


@pytest.fixture
def objects(tmp_path):
    store = ObjectStore(tmp_path / "objects")
    store.create_bucket("b", account="1", region="us-east-1")
    yield store
    store.close()


@pytest.fixture
def forbidden() -> set[str]:
    """Actions that the role may not take."""
    return set()


@pytest.fixture
def kms() -> OneKey:
    """What the role asks for data keys."""
    return OneKey()


@pytest.fixture
def storage(objects, forbidden, kms):
    def allow(access):
        if access.action in forbidden:
            raise AccessDenied(f"not authorized to perform: {access.action}")

    return RoleStorage(objects, allow, lambda: Principal("assumed-role", "1", ROLE, ROLE, "R:s"), kms)


@pytest.fixture
def put(objects):
    """`put(key=…)`: objects of the bucket `b`."""

    def keep(contents: dict[str, bytes]):
        return {key: objects.put_bytes("b", key, content) for key, content in contents.items()}

    return keep


@pytest.fixture
def hosts(tmp_path):
    """Hosts of a spec, each with its bundle: `hosts(channel, …, count=2)`."""

    def make(*channels, count=1, **spec):
        whole = {
            "RoleArn": ROLE,
            "AlgorithmSpecification": {"TrainingInputMode": "File"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": count},
            "InputDataConfig": list(channels),
            **spec,
        }
        found = hosts_of(whole)
        placings = [Placing(whole, "us-east-1", host, found) for host in found]
        bundles = [Bundle(tmp_path / "containers" / host.name) for host in found]
        for bundle in bundles:
            bundle.clear()
            make_folder(bundle.data)
            make_folder(bundle.model)
            make_folder(bundle.output_data)
        return list(zip(placings, bundles, strict=True))

    return make


def channel(name="train", uri="s3://b/data/", kind="S3Prefix", **more):
    """One of InputDataConfig; members of S3DataSource by `source`."""
    source = {"S3DataType": kind, "S3Uri": uri, **more.pop("source", {})}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **more}


def files(folder):
    """What lies below, by relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
