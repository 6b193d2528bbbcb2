"""Hooks and their runs: a push is a run, which fetches, builds, trains and deploys."""

from __future__ import annotations

from clary.lifecycles.table import Lifecycle

HOOK_KIND = "hook"
KIND = "hook-run"
DELIVERY_KIND = "hook-delivery"
"""What was delivered once, by a hook's name: it is not taken again."""

ACTIVE = "Active"
"""A hook's only status."""

QUEUED = "Queued"
FETCHING = "Fetching"
BUILDING = "Building"
TRAINING = "Training"
DEPLOYING = "Deploying"
SUCCEEDED = "Succeeded"
FAILED = "Failed"
SKIPPED = "Skipped"

LIFECYCLE = Lifecycle(
    kind=KIND,
    initial=QUEUED,
    moves={
        QUEUED: frozenset({FETCHING, SKIPPED}),
        FETCHING: frozenset({BUILDING, FAILED}),
        BUILDING: frozenset({TRAINING, DEPLOYING, SUCCEEDED, FAILED}),
        TRAINING: frozenset({DEPLOYING, SUCCEEDED, FAILED}),
        DEPLOYING: frozenset({SUCCEEDED, FAILED}),
        SUCCEEDED: frozenset(),
        FAILED: frozenset(),
        SKIPPED: frozenset(),
    },
)

GOING_ON = tuple(status for status in LIFECYCLE.moves if not LIFECYCLE.terminal(status))
