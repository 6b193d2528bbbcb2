"""What the proxy beside a container asks: whether a bucket is Clary's."""

from __future__ import annotations

from pathlib import Path

import pytest

from clary.edge.buckets import BUCKETS, Buckets
from clary.objects import ObjectReader
from clary.objects.store import ObjectStore
from clary.wire.http import HttpRequest


@pytest.fixture
def buckets(tmp_path: Path) -> Buckets:
    store = ObjectStore(tmp_path)
    store.create_bucket("here", account="000000000000", region="us-east-1")
    store.close()
    return Buckets(ObjectReader(tmp_path))


@pytest.mark.parametrize(
    ("path", "inside", "status"),
    [("/here", True, 204), ("/elsewhere", True, 404), ("", True, 404), ("/here", False, 403)],
    ids=["here", "not here", "none", "from outside"],
)
async def test_whether_it_is_here(buckets: Buckets, path: str, inside: bool, status: int) -> None:
    request = HttpRequest("GET", BUCKETS + path, "", {}, inside=inside)
    assert (await buckets.answer(request)).status == status
