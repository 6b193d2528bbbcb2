"""Shadow variants: which endpoint configurations may have one
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html,
https://docs.aws.amazon.com/sagemaker/latest/dg/shadow-tests.html).

The limits are AWS's; no public source shows the words of their errors.
"""

from __future__ import annotations

from collections.abc import Sequence

from clary.errors import ValidationError
from clary.services.context import Context
from clary.services.resources import Params, require
from clary.services.sagemaker.model_containers import containers_of
from clary.services.sagemaker.models import MODEL

_MULTI_MODEL = "MultiModel"


def check_shadows(context: Context, production: Sequence[Params], shadows: Sequence[Params]) -> None:
    """Raises ValidationError where these cannot stand beside one another."""
    if len(production) > 1 or len(shadows) > 1:
        raise ValidationError(
            "If you specify ShadowProductionVariants, you can specify only one variant for ProductionVariants and only "
            "one variant for ShadowProductionVariants."
        )
    for variant in (*production, *shadows):
        containers = containers_of(require(MODEL, context, variant["ModelName"]).spec)
        if len(containers) > 1 or containers[0].get("Mode") == _MULTI_MODEL:
            raise ValidationError(
                f"Variant {variant['VariantName']}: shadow variants are not supported for multi-container and "
                "multi-model endpoints."
            )
