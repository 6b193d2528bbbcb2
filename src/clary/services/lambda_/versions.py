"""Published versions: what `$LATEST` was
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clary.lifecycles.function import ACTIVE, PENDING, VERSION_KIND
from clary.services.context import Context
from clary.services.lambda_.errors import invalid
from clary.services.lambda_.references import LATEST, Reference
from clary.services.lambda_.rows import check_revision, fresh_id, listed, of, require, version_key, write
from clary.services.lambda_.service import SERVICE
from clary.services.lambda_.view import code_sha256, configuration
from clary.services.resources import Output, Params, now
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


@SERVICE.operation("PublishVersion")
def publish(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterValueException, PreconditionFailedException."""
    return publish_version(context, of(context, params), params)


def publish_version(context: Context, named: Reference, params: Params) -> Output:
    """A version of `$LATEST` as it is; the last one, where nothing has changed since."""

    def apply(transaction: Transaction) -> Row:
        row = require(transaction, named)
        check_revision(row, params)
        current = code_sha256(row.spec)
        if params.get("CodeSha256") and params["CodeSha256"] != current:
            raise invalid(
                f"CodeSHA256 ({params['CodeSha256']}) is different from current CodeSHA256 in $LATEST "
                f"({current}). Please try again with the CodeSHA256 in $LATEST."
            )
        last = transaction.get(version_key(named, str(row.state["next_version"] - 1)))
        if last is not None and last.state["of"] == row.state["environment"]:
            return last
        return _add(transaction, named, row, params)

    stored = write(context, apply)
    context.wake(stored.key)
    return configuration(stored)


def _add(transaction: Transaction, named: Reference, row: Row, params: Params) -> Row:
    number, made = row.state["next_version"], now()
    transaction.save(replace(row, state={**row.state, "next_version": number + 1}))
    spec = {**row.spec, "Version": str(number)}
    if params.get("Description") is not None:
        spec["Description"] = params["Description"]
    ready = row.status == ACTIVE
    state = {"revision": fresh_id(), "environment": fresh_id(), "of": row.state["environment"], "was_active": ready}
    return transaction.insert(
        Row(
            key=version_key(named, str(number)),
            arn=f"{named.function_arn}:{number}",
            status=ACTIVE if ready else PENDING,
            created=made,
            modified=made,
            spec=spec,
            state=state,
            parent=named.name,
        )
    )


@SERVICE.operation("ListVersionsByFunction")
def list_(context: Context, params: Params) -> Output:
    """`$LATEST` first. Raises ResourceNotFoundException."""
    named = of(context, params)
    row = require(context.store.read, named)
    found = listed(context, VERSION_KIND, params, "Versions", configuration, parent=named.name)
    if not params.get("Marker"):
        found["Versions"].insert(0, configuration(row, f"{row.arn}:{LATEST}"))
    return found
