"""Hubs of one's own: kept, with what is imported into them (`hub_contents.py`)
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHub.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clary.errors import AWSError
from clary.services.declaring import declare
from clary.services.resources import Resource
from clary.services.sagemaker.code import ALL
from clary.services.sagemaker.kept_errors import does_not_exist, in_use
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

CONTENT_KIND = "hub-content"


def _no_contents(transaction: Transaction, row: Row) -> None:
    if transaction.children(CONTENT_KIND, row.key):
        raise AWSError("ResourceInUse", f"Hub {row.arn} has contents: delete them first.")


HUB = Resource(
    kind="hub",
    noun="Hub",
    list_member="HubSummaries",
    status="InService",
    exists=in_use("Hub"),
    missing=does_not_exist("Hub"),
    unused=_no_contents,
    verbs=ALL,
)

declare(SERVICE, HUB, effect="keeps state")
