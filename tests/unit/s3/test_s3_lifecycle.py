"""When lifecycle rules let go what: decided from a list of versions and a moment, nothing else."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from clary.objects.model import Attributes, Bucket, DeleteMarker, ObjectInfo, Upload
from clary.objects.version_listing import Listed
from clary.services.s3.expiring import expiration
from clary.services.s3.lifecycle import LIFECYCLE, abortion, due, rules_of

START = datetime(2026, 1, 10, 10, 30, tzinfo=UTC)


def bucket(*rules):
    kept = [{"ID": f"rule {number}", "Status": "Enabled", "Filter": {}, **rule} for number, rule in enumerate(rules)]
    return Bucket("b", "1", "us-east-1", START, {LIFECYCLE: {"Rules": kept}})


def an_object(key="k", version="v", modified=START, size=1, place=1, **attributes):
    return ObjectInfo("b", key, "e", size, modified, Attributes(**attributes), "[]", version, place)


def a_marker(key="k", version="m", modified=START):
    return DeleteMarker("b", key, modified, version, 1)


def going(rules, versions, now):
    """(key, version, for good) of what is due; of each key the first is the latest."""
    seen, entries = set(), []
    for version in versions:
        entries.append(Listed(version, version.key not in seen))
        seen.add(version.key)
    found = due(rules_of(bucket(*rules)), entries, now)
    return [(one.version.key, one.version.version, one.for_good) for one in found]


def days(count):
    return {"Expiration": {"Days": count}}


def test_days_end_at_the_next_midnight():
    for moment, expected in (
        (datetime(2026, 1, 13, 23, 59, tzinfo=UTC), []),
        (datetime(2026, 1, 14, tzinfo=UTC), ["k"]),
    ):
        assert [key for key, _, _ in going([days(3)], [an_object()], moment)] == expected


def test_the_answers_header_says_so():
    info = an_object()
    said = {"Expiration": 'expiry-date="Wed, 14 Jan 2026 00:00:00 GMT", rule-id="rule%200"'}
    assert expiration(bucket(days(3)), info) == said
    assert expiration(bucket({**days(3), "Status": "Disabled"}), info) == {}
    assert expiration(bucket({"Expiration": {"ExpiredObjectDeleteMarker": True}}), info) == {}
    assert 'rule-id="rule%201"' in expiration(bucket(days(9), days(2)), info)["Expiration"]


def test_at_a_date_everything_goes():
    rule = {"Expiration": {"Date": "2026-02-01T00:00:00+00:00"}}
    assert going([rule], [an_object()], datetime(2026, 1, 31, 23, tzinfo=UTC)) == []
    assert going([rule], [an_object()], datetime(2026, 2, 1, tzinfo=UTC)) == [("k", "v", False)]


def test_a_filter_asks_for_prefix_tags_and_size_together():
    tagged = {"Key": "t", "Value": "1"}
    asked = {"And": {"Prefix": "logs/", "Tags": [tagged], "ObjectSizeGreaterThan": 5, "ObjectSizeLessThan": 10}}
    right = {"key": "logs/a", "tags": {"t": "1", "u": "2"}, "size": 6}
    wrong = [{"key": "log/a"}, {"tags": {"t": "2"}}, {"tags": {}}, {"size": 5}, {"size": 10}]
    later = START + timedelta(days=9)
    assert going([{**days(1), "Filter": asked}], [an_object(**right)], later) == [("logs/a", "v", False)]
    for other in wrong:
        assert going([{**days(1), "Filter": asked}], [an_object(**{**right, **other})], later) == []
    for single in ({"Prefix": "logs/"}, {"Tag": tagged}, {"ObjectSizeLessThan": 7}):
        assert going([{**days(1), "Filter": single}], [an_object(**right)], later)
    assert rules_of(bucket({**days(1), "Prefix": "logs/"}))[0].filter.prefix == "logs/"


def test_noncurrent_versions_go_by_when_another_took_their_place():
    versions = [an_object(version=f"v{n}", modified=START - timedelta(days=n * 10), place=-n) for n in range(4)]
    rule = {"NoncurrentVersionExpiration": {"NoncurrentDays": 15}}
    assert going([rule], versions, START + timedelta(days=1)) == [("k", "v3", True)]
    assert going([rule], versions, START + timedelta(days=10)) == [("k", "v2", True), ("k", "v3", True)]
    keeps = {"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}}
    assert going([keeps], versions, START + timedelta(days=90)) == [("k", "v3", True)]


def test_the_current_version_makes_way_for_a_marker_and_older_ones_stay():
    versions = [an_object(version="new"), an_object(version="old", modified=START - timedelta(days=1))]
    assert going([days(1)], versions, START + timedelta(days=5)) == [("k", "new", False)]


def test_a_delete_marker_goes_when_nothing_stands_behind_it():
    now = START + timedelta(minutes=1)
    rule = {"Expiration": {"ExpiredObjectDeleteMarker": True}}
    alone, covers = a_marker("a"), a_marker("b")
    behind = an_object("b")
    assert going([rule], [alone, covers, behind, a_marker("c")], now) == [("a", "m", True), ("c", "m", True)]
    assert going([days(1)], [alone], now) == []
    assert going([days(1)], [alone], START + timedelta(days=3)) == [("a", "m", True)]


def test_what_is_locked_stays():
    locked = [
        an_object(version="new"),
        an_object(version="held", legal_hold="ON"),
        an_object(version="kept", lock_mode="GOVERNANCE", lock_until=2**50),
        an_object(version="past", lock_mode="COMPLIANCE", lock_until=1),
    ]
    rule = {"NoncurrentVersionExpiration": {"NoncurrentDays": 1}}
    assert going([rule], locked, START + timedelta(days=9)) == [("k", "past", True)]


def test_uploads_are_dropped():
    upload = Upload("u", "b", "logs/k", START, {}, Attributes(), "CRC32", declared=False)
    rules = rules_of(
        bucket({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}, "Filter": {"Prefix": "logs/"}})
    )
    moment, rule = abortion(rules, upload)
    assert (moment, rule.id) == (datetime(2026, 1, 13, tzinfo=UTC), "rule 0")
    assert abortion(rules_of(bucket(days(1))), upload) is None


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=12), st.integers(0, 40), st.integers(1, 20))
def test_never_goes_what_is_too_young_nor_anything_twice(keys, passed, wanted):
    versions = [an_object(key, f"v{n}", START - timedelta(days=n)) for n, key in enumerate(sorted(keys))]
    now = START + timedelta(days=passed)
    rules = [days(wanted), {"NoncurrentVersionExpiration": {"NoncurrentDays": wanted}}]
    found = going(rules, versions, now)
    assert len({version for _, version, _ in found}) == len(found)
    by_version = {version.version: version for version in versions}
    for _, version, for_good in found:
        assert for_good or now - by_version[version].modified >= timedelta(days=wanted)
