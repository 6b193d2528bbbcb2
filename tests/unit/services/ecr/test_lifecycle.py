"""What lifecycle policies let go: the rules of AWS's user guide, one test each."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from clary.services.ecr.lifecycle import BadPolicy, Candidate, expired, read

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def image(name, *tags, age=0, **more):
    return Candidate(name, tags, NOW - timedelta(days=age), **more)


def rule(priority=1, status="any", count_type="imageCountMoreThan", count=1, **more):
    unit = {} if count_type == "imageCountMoreThan" else {"countUnit": "days"}
    selection = {"tagStatus": status, "countType": count_type, "countNumber": count, **unit, **more}
    return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}


def policy(*rules):
    return read(json.dumps({"rules": rules}))


def gone(rules, *images):
    return [found.digest for found, _ in expired(rules, images, NOW)]


def test_more_than_so_many_lets_the_oldest_go():
    images = [image(str(age), age=age) for age in range(4)]
    assert gone(policy(rule(count=2)), *images) == ["3", "2"]
    assert gone(policy(rule(count=4)), *images) == []


def test_older_than_so_many_days():
    images = [image("new", age=1), image("old", age=8)]
    assert gone(policy(rule(count_type="sinceImagePushed", count=7)), *images) == ["old"]


def test_not_pulled_for_so_many_days_counts_from_the_push_where_nobody_pulled():
    pulled = image("pulled", age=30, pulled=NOW - timedelta(days=1))
    assert gone(policy(rule(count_type="sinceImagePulled", count=7)), pulled, image("never", age=9)) == ["never"]


def test_untagged_ones_are_those_without_a_tag():
    rules = policy(rule(status="untagged", count_type="sinceImagePushed", count=1))
    assert gone(rules, image("a", age=5), image("b", "tag", age=5)) == ["a"]


def test_all_prefixes_of_a_list_must_be_there():
    images = [image("one", "alpha-1", age=3), image("both", "alpha-2", "beta-2", age=3)]
    rules = policy(rule(status="tagged", count_type="sinceImagePushed", tagPrefixList=["alpha", "beta"]))
    assert gone(rules, *images) == ["both"]


def test_a_pattern_may_stand_for_any_letters():
    rules = policy(rule(status="tagged", count_type="sinceImagePushed", tagPatternList=["*-rc*"]))
    assert gone(rules, image("a", "1.0-rc2", age=3), image("b", "1.0", age=3)) == ["a"]


def test_what_a_rule_has_spoken_for_no_later_rule_lets_go():
    images = [image("release", "prod-1", age=100), image("other", "dev-1", age=100), image("new", "dev-2", age=1)]
    keep = rule(1, "tagged", count=10, tagPrefixList=["prod"])
    rules = policy(keep, rule(2, "any", "sinceImagePushed", 30))
    assert gone(rules, *images) == ["other"]


def test_a_later_rule_counts_as_if_the_first_had_let_nothing_go():
    images = [image(f"{age}", "x-1", age=age) for age in range(3)] + [image("y", age=9)]
    rules = policy(rule(1, "tagged", count=1, tagPrefixList=["x"]), rule(2, "any", count=3))
    assert gone(rules, *images) == ["y", "2", "1"]
    assert {found.digest: by for found, by in expired(rules, images, NOW)} == {"y": 2, "2": 1, "1": 1}


def test_what_an_index_lists_stays_as_long_as_the_index_does():
    inner, outer = image("inner", age=50, listed_by=("outer",)), image("outer", "latest", age=1)
    rules = policy(rule(status="untagged", count_type="sinceImagePushed", count=7))
    assert gone(rules, inner, outer) == []
    assert gone(policy(rule(count_type="sinceImagePushed")), inner, image("outer", "latest", age=3)) == [
        "inner",
        "outer",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        '{"rules": []}',
        json.dumps({"rules": [rule()], "more": 1}),
        json.dumps({"rules": [{**rule(), "action": {"type": "keep"}}]}),
        json.dumps({"rules": [rule(0)]}),
        json.dumps({"rules": [rule(True)]}),
        json.dumps({"rules": [rule(count=0)]}),
        json.dumps({"rules": [rule(status="some")]}),
        json.dumps({"rules": [rule(status="tagged")]}),
        json.dumps({"rules": [rule(tagPrefixList=["x"])]}),
        json.dumps({"rules": [rule(status="tagged", tagPrefixList=[1])]}),
        json.dumps({"rules": [rule(count_type="other")]}),
        json.dumps({"rules": [rule(countUnit="days")]}),
        json.dumps({"rules": [rule(1), rule(1, "untagged")]}),
        json.dumps({"rules": [rule(1), rule(2)]}),
        json.dumps({"rules": [rule(1), rule(2, "untagged")]}),
    ],
    ids=range(17),
)
def test_what_is_no_policy_is_refused(text):
    with pytest.raises(BadPolicy):
        read(text)
