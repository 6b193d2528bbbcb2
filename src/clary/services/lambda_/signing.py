"""Code signing of functions, which none here has
(https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionCodeSigningConfig.html)."""

from __future__ import annotations

from clary.services.context import Context
from clary.services.lambda_.rows import of, require
from clary.services.lambda_.service import SERVICE
from clary.services.resources import Output, Params


@SERVICE.operation("GetFunctionCodeSigningConfig")
def get(context: Context, params: Params) -> Output:
    """No configuration, since CreateFunction refuses one; the model wants both members. Raises
    ResourceNotFoundException."""
    named = of(context, params)
    require(context.store.read, named)
    return {"CodeSigningConfigArn": "", "FunctionName": named.name}
