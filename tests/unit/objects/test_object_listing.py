"""Listing at size: seeking, not scanning."""

import pytest

from clary.objects.listing import Scope, successor
from clary.objects.version_listing import After

OLDER = (
    "INSERT INTO version (bucket, key, place, version, etag, size, modified, attributes, layout)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@pytest.fixture
def many(store, bucket):
    """20,000 keys in 200 folders, written straight into the database."""
    rows = [
        (bucket, f"f{folder:03}/k{number:03}".encode(), "e", 1, 0, "{}", "[]")
        for folder in range(200)
        for number in range(100)
    ]
    columns = "bucket, key, etag, size, modified, attributes, layout"
    insert = f"INSERT INTO object ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)"
    store._writer.run(lambda c: c.executemany(insert, rows))
    return bucket


def steps(reader, ask):
    """How many of SQLite's instructions a listing costs, in thousands."""
    connection = reader._connections.get()
    count = 0

    def tick():
        nonlocal count
        count += 1

    connection.set_progress_handler(tick, 1000)
    answer = ask()
    connection.set_progress_handler(None, 0)
    return count, answer


def test_folders_are_found_without_reading_what_is_in_them(reader, many):
    cost, page = steps(reader, lambda: reader.page(many, delimiter="/"))
    assert page.prefixes == tuple(f"f{folder:03}/" for folder in range(200))
    assert cost < 20  # reading every row takes more than 200


def test_a_page_in_the_middle_costs_what_a_page_at_the_start_does(reader, many):
    first, _ = steps(reader, lambda: reader.page(many, limit=100))
    middle, page = steps(reader, lambda: reader.page(many, prefix="f1", after="f150/k050", limit=100))
    assert page.objects[0].key == "f150/k051"
    assert middle <= first + 1


def test_the_whole_is_listed_in_batches(reader, many):
    assert sum(1 for _ in reader.list(many)) == 20_000
    assert [info.key for info in reader.list(many, prefix="f199/", limit=2)] == ["f199/k000", "f199/k001"]
    assert [info.key for info in reader.list(many, after="f199/k098")] == ["f199/k099"]


def test_the_key_behind_a_prefix():
    assert successor(b"a/") == b"a0"
    assert successor("\U0010ffff".encode()) > "\U0010ffff".encode() + b"\xf4\x8f"
    assert successor(b"") > "\U0010ffff".encode()


def test_a_marker_inside_a_group_stands_for_the_whole_group():
    scope = Scope("b", b"p/", b"/")
    assert scope.start(None) == b"p/"
    assert scope.start(b"a") == b"p/"
    assert scope.start(b"p/k") == b"p/k\0"
    assert scope.start(b"p/x/y") == b"p/x0"
    assert scope.start(b"q") == b"q\0"


def test_older_versions_cost_a_listing_of_objects_nothing(reader, store, many):
    before, _ = steps(reader, lambda: reader.page(many))
    rows = [
        (many, f"f000/k{number:03}".encode(), place, f"v{place}", "e", 1, 0, "{}", "[]")
        for number in range(100)
        for place in range(-100, 0)
    ]
    store._writer.run(lambda c: c.executemany(OLDER, rows))
    after, page = steps(reader, lambda: reader.page(many))
    assert len(page.objects) == 1000
    assert after <= before


def test_a_page_of_versions_costs_what_is_on_it(reader, store, many):
    rows = [(many, b"f100/k050", place, f"v{place}", "e", 1, 0, "{}", "[]") for place in range(-20_000, 0)]
    store._writer.run(lambda c: c.executemany(OLDER, rows))
    cost, page = steps(reader, lambda: reader.version_page(many, after=After("f100/k050", -10_000), limit=100))
    assert [entry.version.place for entry in page.versions] == list(range(-10_001, -10_101, -1))
    assert cost < 20
    cost, page = steps(reader, lambda: reader.version_page(many, delimiter="/"))
    assert page.prefixes == tuple(f"f{folder:03}/" for folder in range(200))
    assert cost < 60
