"""Staging labels: which version of a secret is which. Pure
(https://docs.aws.amazon.com/secretsmanager/latest/userguide/getting-started.html#term_version)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clary.keys.secrets import CURRENT, PENDING, PREVIOUS
from clary.services.secretsmanager.errors import invalid

MOST = 20
"""Labels of one version."""

Stages = Mapping[str, str]
"""Each label's version."""


def labelled(stages: Stages, version: str, labels: Iterable[str]) -> dict[str, str]:
    """With labels moved to a version; the version that was current is the previous one then, and pending no more."""
    moved = dict(stages)
    before = stages.get(CURRENT)
    for label in labels:
        moved[label] = version
    if before and moved.get(CURRENT) == version != before:
        moved[PREVIOUS] = before
        if moved.get(PENDING) == before:
            del moved[PENDING]
    return moved


def of_version(stages: Stages, version: str) -> list[str]:
    """The labels of a version."""
    return sorted(label for label, at in stages.items() if at == version)


def by_version(stages: Stages) -> dict[str, list[str]]:
    """The labels of all versions that have any."""
    return {version: of_version(stages, version) for version in sorted(set(stages.values()))}


def moved(stages: Stages, label: str, to: str | None, source: str | None) -> dict[str, str]:
    """As UpdateSecretVersionStage asks. Raises InvalidParameterException."""
    at = stages.get(label)
    if to is None and label == CURRENT:
        raise invalid(
            "You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed."
        )
    if to is not None and at is not None and at != to and source is None:
        raise invalid(
            f"The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently attached to "
            f"version {at}, so you must explicitly reference that version in RemoveFromVersionId."
        )
    if source is not None and at != source:
        raise invalid(f"The staging label {label} is not attached to the version {source}.")
    if to is not None:
        return labelled(stages, to, [label])
    return {name: version for name, version in stages.items() if name != label}
