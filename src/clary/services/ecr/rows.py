"""Repositories as rows: which one a request names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.services.context import Context
from clary.services.ecr.errors import no_repository
from clary.services.ecr.names import REPOSITORY, registry_of
from clary.services.resources import now
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


def repository_key(context: Context, params: dict[str, Any], name: str = "") -> Key:
    """The key of the repository `name`, or of the one that the request names."""
    registry = registry_of(params, context.account)
    return Key(REPOSITORY, registry, context.region, name or params["repositoryName"])


def require_repository(context: Context, params: dict[str, Any]) -> Row:
    """The repository that the request names. Raises RepositoryNotFoundException."""
    key = repository_key(context, params)
    row = context.store.read.get(key)
    if row is None:
        raise no_repository(key)
    return row


def still_there(transaction: Transaction, repository: Key) -> Row:
    """The repository within a change. Raises RepositoryNotFoundException."""
    row = transaction.get(repository)
    if row is None:
        raise no_repository(repository)
    return row


def change_repository(context: Context, params: dict[str, Any], change: Callable[[Row], Row]) -> Row:
    """Replace the repository that the request names by what `change` makes of it. Raises RepositoryNotFoundException,
    and what `change` raises."""
    key = repository_key(context, params)
    return context.store.write(
        lambda transaction: transaction.save(replace(change(still_there(transaction, key)), modified=now()))
    )


def named(repository: Key) -> dict[str, str]:
    """The members by which ECR's answers name a repository."""
    return {"registryId": repository.account, "repositoryName": repository.name}
