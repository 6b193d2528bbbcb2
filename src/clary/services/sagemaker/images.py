"""Images that a request names (https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-dockerfile.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.errors import ValidationError
from clary.images.base import Image
from clary.images.catalogue import ImageNotFound, RepositoryNotFound
from clary.services.context import Context
from clary.services.sagemaker.errors import no_access_to_repository, no_repository
from clary.services.sagemaker.roles import may_pull


def resolve_image(context: Context, uri: str, role: str | None) -> Image:
    """What the address means; `role` is who pulls it.

    Raises ValidationError, in AWS's words and with what is there instead.
    """
    try:
        image = context.images.resolve(uri)
    except RepositoryNotFound as error:
        raise no_repository(error.address.repository, error.address.account, role or "", error.hint) from None
    except ImageNotFound as error:
        raise ValidationError(f"{error} {error.hint}".strip()) from None
    address = image.registered
    if address is not None and not may_pull(context, role, address):
        raise no_access_to_repository(address.repository, address.account, role or "")
    return image


def pinned(context: Context, definition: Mapping[str, Any]) -> dict[str, Any]:
    """A container definition with the image that its tag means now, as `ResolvedImage`; as it is where the address
    means one image for ever, or none any more: then deploying it fails, and says so."""
    try:
        resolved = context.images.resolve(definition["Image"]).uri
    except ImageNotFound:
        return dict(definition)
    return {**definition, **({"ResolvedImage": resolved} if resolved != definition["Image"] else {})}
