"""Lifecycle policies: which images a repository lets go. Pure
(https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html).

Every rule is looked at by itself; then, in order of their priorities, each lets go of what it names, but for images
that a rule before it has named or has spoken for by their tags. The oldest go first. A manifest that an index lists
stays as long as the index does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clary.services.ecr.immutability import matches

_RULE = {"rulePriority", "description", "selection", "action"}
_SELECTION = {"tagStatus", "tagPrefixList", "tagPatternList", "countType", "countUnit", "countNumber"}
_STATUSES = ("tagged", "untagged", "any")
_MORE_THAN = "imageCountMoreThan"
_SINCE = ("sinceImagePushed", "sinceImagePulled")


class BadPolicy(Exception):
    """No lifecycle policy; the text says why."""


@dataclass(frozen=True)
class Rule:
    """One rule. `count` are images, or days where `count_type` begins with `since`."""

    priority: int
    status: str
    prefixes: tuple[str, ...]
    patterns: tuple[str, ...]
    count_type: str
    count: int


@dataclass(frozen=True)
class Candidate:
    """What a policy needs to know of an image."""

    digest: str
    tags: tuple[str, ...]
    pushed: datetime
    pulled: datetime | None = None
    listed_by: tuple[str, ...] = ()
    """Indexes that list it."""


def read(text: str) -> tuple[Rule, ...]:
    """The rules, in order of their priorities. Raises BadPolicy."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise BadPolicy("Lifecycle policy is not valid JSON") from None
    rules = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(rules, list) or not rules or set(document) != {"rules"}:
        raise BadPolicy("a policy is an object with a list of 'rules'")
    found = sorted((_rule(each) for each in rules), key=lambda rule: rule.priority)
    _check_together(found)
    return tuple(found)


def _rule(document: Any) -> Rule:  # noqa: ANN401  whatever the text holds
    if not isinstance(document, dict) or not set(document) <= _RULE:
        raise BadPolicy("a rule has rulePriority, description, selection and action, and nothing else")
    priority, selection = document.get("rulePriority"), document.get("selection")
    if document.get("action") != {"type": "expire"}:
        raise BadPolicy("action must be {'type': 'expire'}")
    if not isinstance(selection, dict) or not set(selection) <= _SELECTION:
        raise BadPolicy(f"selection has {', '.join(sorted(_SELECTION))}, and nothing else")
    return _selected(_count(priority, "rulePriority"), selection)


def _selected(priority: int, selection: Mapping[str, Any]) -> Rule:
    status, kind = selection.get("tagStatus"), selection.get("countType")
    prefixes, patterns = _texts(selection, "tagPrefixList"), _texts(selection, "tagPatternList")
    if status not in _STATUSES:
        raise BadPolicy("tagStatus must be one of tagged, untagged, any")
    if bool(prefixes) + bool(patterns) != (status == "tagged"):
        raise BadPolicy("tagStatus tagged wants either tagPrefixList or tagPatternList; the others neither")
    if kind not in (_MORE_THAN, *_SINCE):
        raise BadPolicy(f"countType must be one of {', '.join((_MORE_THAN, *_SINCE))}")
    if (selection.get("countUnit") == "days") != (kind in _SINCE) or selection.get("countUnit") not in (None, "days"):
        raise BadPolicy("countUnit must be days where countType counts time, and absent elsewhere")
    return Rule(priority, status, prefixes, patterns, kind, _count(selection.get("countNumber"), "countNumber"))


def _count(value: object, member: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise BadPolicy(f"{member} must be a whole number from 1")
    return value


def _texts(selection: Mapping[str, Any], member: str) -> tuple[str, ...]:
    found = selection.get(member, [])
    if not isinstance(found, list) or not all(isinstance(each, str) and each for each in found):
        raise BadPolicy(f"{member} must be a list of texts")
    return tuple(found)


def _check_together(rules: Sequence[Rule]) -> None:
    if len({rule.priority for rule in rules}) != len(rules):
        raise BadPolicy("rulePriority must be unique")
    for status in ("untagged", "any"):
        if sum(1 for rule in rules if rule.status == status) > 1:
            raise BadPolicy(f"only one rule may have tagStatus {status}")
    if any(rule.status == "any" for rule in rules[:-1]):
        raise BadPolicy("the rule with tagStatus any must have the highest rulePriority")


def expired(rules: Sequence[Rule], images: Iterable[Candidate], now: datetime) -> list[tuple[Candidate, int]]:
    """The images that go, each with the priority of its rule, oldest first."""
    ordered = sorted(images, key=lambda image: (image.pushed, image.digest))
    going: dict[str, int] = {}
    spoken_for: set[str] = set()
    for rule in rules:
        meant = [image for image in ordered if _selects(rule, image)]
        for image in _chosen(rule, meant, now):
            if image.digest not in going and image.digest not in spoken_for:
                going[image.digest] = rule.priority
        spoken_for |= {image.digest for image in meant}
    kept = _needed(ordered, going)
    return [(image, going[image.digest]) for image in ordered if image.digest in going and image.digest not in kept]


def _selects(rule: Rule, image: Candidate) -> bool:
    if rule.status == "any":
        return True
    if rule.status == "untagged":
        return not image.tags
    prefixed = all(any(tag.startswith(prefix) for tag in image.tags) for prefix in rule.prefixes)
    return bool(image.tags) and prefixed and all(any(matches(p, tag) for tag in image.tags) for p in rule.patterns)


def _chosen(rule: Rule, meant: Sequence[Candidate], now: datetime) -> Sequence[Candidate]:
    if rule.count_type == _MORE_THAN:
        return meant[: max(len(meant) - rule.count, 0)]
    before = now - timedelta(days=rule.count)
    if rule.count_type == "sinceImagePulled":
        return [image for image in meant if (image.pulled or image.pushed) < before]
    return [image for image in meant if image.pushed < before]


def _needed(images: Sequence[Candidate], going: Mapping[str, int]) -> set[str]:
    """Those that an index lists which stays; and so on, for an index within an index."""
    kept = {image.digest for image in images if image.digest not in going}
    while True:
        more = {image.digest for image in images if kept & set(image.listed_by)} - kept
        if not more:
            return kept
        kept |= more
