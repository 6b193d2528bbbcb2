"""Which tags may not be moved
(https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def is_immutable(settings: Mapping[str, Any], tag: str) -> bool:
    """Whether a repository with these settings keeps `tag` where it is."""
    mode = settings["imageTagMutability"]
    excepted = any(matches(each["filter"], tag) for each in settings.get("imageTagMutabilityExclusionFilters") or ())
    return excepted if mode == "MUTABLE_WITH_EXCLUSION" else mode.startswith("IMMUTABLE") and not excepted


def matches(pattern: str, tag: str) -> bool:
    """Whether a tag fits a pattern, in which `*` stands for any letters, or none."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), tag) is not None
