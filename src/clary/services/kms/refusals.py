"""Custom key stores: none can be made, so none is there."""

from __future__ import annotations

from clary.errors import AWSError
from clary.services.context import Context
from clary.services.kms.service import SERVICE
from clary.services.resources import Output, Params

_STORES = "Clary has no custom key stores: keys are kept under the root key of the data folder."

SERVICE.refuse(AWSError("UnsupportedOperationException", _STORES), "CreateCustomKeyStore")
SERVICE.refuse(
    AWSError("CustomKeyStoreNotFoundException", _STORES),
    "ConnectCustomKeyStore",
    "DeleteCustomKeyStore",
    "DisconnectCustomKeyStore",
    "UpdateCustomKeyStore",
)


@SERVICE.operation("DescribeCustomKeyStores", effect="refused")
def describe(_context: Context, params: Params) -> Output:
    """None; one that is named is not there. Raises CustomKeyStoreNotFoundException."""
    if params.get("CustomKeyStoreId") or params.get("CustomKeyStoreName"):
        raise AWSError("CustomKeyStoreNotFoundException", _STORES)
    return {"CustomKeyStores": [], "Truncated": False}
