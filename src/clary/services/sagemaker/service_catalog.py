"""Whether SageMaker's project templates are shown in an account's Service Catalog: kept, for each region. There is no
Service Catalog here, so that nobody is shown any
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_EnableSagemakerServicecatalogPortfolio.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clary.services import resources
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_KIND = "servicecatalog-portfolio"


def _key(context: Context) -> Key:
    """Of the row that is there while they are shown."""
    return Key(_KIND, context.account, context.region, "status")


@SERVICE.operation("EnableSagemakerServicecatalogPortfolio", effect="keeps state")
def enable(context: Context, _params: Params) -> Output:
    """Once more is nothing."""
    now = resources.now()

    def change(transaction: Transaction) -> None:
        if transaction.get(_key(context)) is None:
            transaction.insert(Row(_key(context), "", "", now, now, {}))

    context.store.write(change)
    return {}


@SERVICE.operation("DisableSagemakerServicecatalogPortfolio", effect="keeps state")
def disable(context: Context, _params: Params) -> Output:
    """Once more is nothing."""
    context.store.write(lambda transaction: transaction.delete(_key(context)))
    return {}


@SERVICE.operation("GetSagemakerServicecatalogPortfolioStatus", effect="keeps state")
def status(context: Context, _params: Params) -> Output:
    """`Disabled` until somebody enables it."""
    return {"Status": "Disabled" if context.store.read.get(_key(context)) is None else "Enabled"}
