"""Functions from images: the image that a name means now
(https://docs.aws.amazon.com/lambda/latest/dg/images-create.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.images.catalogue import ImageNotFound
from clary.services.context import Context
from clary.services.lambda_.errors import invalid

ZIP, IMAGE = "Zip", "Image"


def is_image(spec: Mapping[str, Any]) -> bool:
    """Whether a function is one from an image."""
    return bool(spec.get("PackageType") == IMAGE)


def code_of(context: Context, uri: str) -> dict[str, Any]:
    """The spec's members of an image: `Image` stays the same image when the tag moves on, where Clary's registry has
    it. Raises InvalidParameterValueException."""
    try:
        image = context.images.resolve(uri)
    except ImageNotFound as error:
        raise _not_valid(uri, error.hint) from None
    if not image.engine:
        raise _not_valid(uri, "Images that Clary runs in its sandbox do not speak Lambda's Runtime API.")
    return {"ImageUri": uri, "Image": image.uri, "CodeSize": 0}


def _not_valid(uri: str, hint: str) -> Exception:
    return invalid(f"Source image {uri} is not valid. Provide a valid source image. {hint}".rstrip())
