import pytest

from clary.objects import Intake, ObjectReader, ObjectStore


@pytest.fixture
def root(tmp_path):
    return tmp_path / "objects"


@pytest.fixture
def store(root):
    opened = ObjectStore(root)
    yield opened
    opened.close()


@pytest.fixture
def reader(store, root):
    """Reads beside the writer, as the edge does."""
    return ObjectReader(root)


@pytest.fixture
def intake(root):
    opened = Intake(root)
    yield opened
    opened.close()


@pytest.fixture
def bucket(store):
    return store.create_bucket("bucket", account="1", region="us-east-1").name
