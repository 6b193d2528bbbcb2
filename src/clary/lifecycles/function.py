"""Functions and their versions: the code is prepared, then they can be invoked, until they are changed."""

from __future__ import annotations

from clary.lifecycles.table import Lifecycle

KIND = "function"
VERSION_KIND = "function-version"
ALIAS_KIND = "function-alias"
LAYER_KIND = "layer-version"

PENDING = "Pending"
ACTIVE = "Active"
FAILED = "Failed"

LIFECYCLE = Lifecycle(
    kind=KIND,
    initial=PENDING,
    moves={
        PENDING: frozenset({ACTIVE, FAILED}),
        ACTIVE: frozenset({PENDING}),
        FAILED: frozenset({PENDING}),
    },
)
"""`Pending` also while a change of code or configuration is being prepared, which the API calls `LastUpdateStatus`."""
