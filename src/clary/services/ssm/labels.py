"""Labels of versions
(https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-labels.html)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.errors import AWSError
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.ssm.errors import no_parameter
from clary.services.ssm.rows import key_of, require_version
from clary.services.ssm.service import SERVICE

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_LABEL = re.compile(r"[a-zA-Z_.-][a-zA-Z0-9_.-]*")
_MOST = 10

Labels = dict[str, int]
"""Each label's version."""


@SERVICE.operation("LabelParameterVersion")
def label(context: Context, params: Params) -> Output:
    """Labels move from other versions; those that are none are told. Raises ParameterNotFound,
    ParameterVersionNotFound, ParameterVersionLabelLimitExceeded."""
    good = [each for each in params["Labels"] if _is_label(each)]

    def changed(there: Labels, version: int) -> Labels:
        moved = {**there, **dict.fromkeys(good, version)}
        if sum(at == version for at in moved.values()) > _MOST:
            raise AWSError(
                "ParameterVersionLabelLimitExceeded",
                "A parameter version can have maximum 10 labels. Move one or more labels to another version and try "
                "again.",
            )
        return moved

    _before, version = _change(context, params, changed)
    return {"InvalidLabels": [each for each in params["Labels"] if each not in good], "ParameterVersion": version}


@SERVICE.operation("UnlabelParameterVersion")
def unlabel(context: Context, params: Params) -> Output:
    """Raises ParameterNotFound, ParameterVersionNotFound."""

    def changed(there: Labels, version: int) -> Labels:
        return {name: at for name, at in there.items() if name not in params["Labels"] or at != version}

    before, version = _change(context, params, changed)
    removed = [each for each in params["Labels"] if before.get(each) == version]
    return {"RemovedLabels": removed, "InvalidLabels": [each for each in params["Labels"] if each not in removed]}


def _change(context: Context, params: Params, changed: Callable[[Labels, int], Labels]) -> tuple[Labels, int]:
    """The labels as they were, and the version that was meant."""
    key = key_of(context, params["Name"])

    def write(transaction: Transaction) -> tuple[Labels, int]:
        row = transaction.get(key)
        if row is None:
            raise no_parameter(key.name)
        version = params.get("ParameterVersion") or row.state["version"]
        require_version(transaction, row, version)
        before: Labels = row.state["labels"]
        transaction.save(replace(row, state={**row.state, "labels": changed(before, version)}))
        return before, version

    return context.store.write(write)


def _is_label(text: str) -> bool:
    return bool(_LABEL.fullmatch(text)) and not text.lower().startswith(("aws", "ssm"))
