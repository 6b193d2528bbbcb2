"""ECR's refusals, in ECR's words
(https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html and each operation's page)."""

from __future__ import annotations

from collections.abc import Iterable

from clary.errors import AWSError
from clary.store.rows import Key


def _where(repository: Key) -> str:
    return f"the repository with name '{repository.name}' in the registry with id '{repository.account}'"


def invalid(parameter: str, constraint: str) -> AWSError:
    """A parameter that breaks a rule which the API's model does not say."""
    text = f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'"
    return AWSError("InvalidParameterException", text)


def no_repository(repository: Key) -> AWSError:
    """The repository is not there."""
    text = f"The repository with name '{repository.name}' does not exist in the registry with id '{repository.account}'"
    return AWSError("RepositoryNotFoundException", text)


def repository_exists(repository: Key) -> AWSError:
    """The name is taken."""
    text = f"The repository with name '{repository.name}' already exists in the registry with id '{repository.account}'"
    return AWSError("RepositoryAlreadyExistsException", text)


def not_empty(repository: Key) -> AWSError:
    """It holds images, and `force` was not said."""
    text = (
        f"The repository with name '{repository.name}' in registry with id '{repository.account}' cannot be deleted "
        "because it still contains images"
    )
    return AWSError("RepositoryNotEmptyException", text)


def no_image(repository: Key, digest: str | None, tag: str | None) -> AWSError:
    """No image of that digest or tag."""
    image = f"{{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}}"
    text = (
        f"The image with imageId {image} does not exist within the repository with name '{repository.name}' in the "
        f"registry with id '{repository.account}'"
    )
    return AWSError("ImageNotFoundException", text)


def image_exists(repository: Key, digest: str, tag: str | None) -> AWSError:
    """The very image with the very tag is there."""
    text = (
        f"Image with digest '{digest}' and tag '{tag or 'null'}' already exists in the repository with name "
        f"'{repository.name}' in registry with id '{repository.account}'"
    )
    return AWSError("ImageAlreadyExistsException", text)


def tag_exists(repository: Key, tag: str) -> AWSError:
    """The tag may not be moved."""
    text = (
        f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot be overwritten "
        "because the tag is immutable."
    )
    return AWSError("ImageTagAlreadyExistsException", text)


def wrong_image_digest(said: str, computed: str) -> AWSError:
    """The manifest is not the one whose digest was said."""
    text = f"The image digest '{said}' does not match the digest '{computed}' of the image manifest"
    return AWSError("ImageDigestDoesNotMatchException", text)


def no_layers(repository: Key, digests: Iterable[str]) -> AWSError:
    """The manifest names layers that were not pushed."""
    return AWSError("LayersNotFoundException", _required("Layers", digests, repository))


def no_referenced_images(repository: Key, digests: Iterable[str]) -> AWSError:
    """The index names manifests that were not pushed."""
    return AWSError("ReferencedImagesNotFoundException", _required("Images", digests, repository))


def _required(what: str, digests: Iterable[str], repository: Key) -> str:
    listed = ", ".join(digests)
    return f"{what} with digests '[{listed}]' required for pushing image into {_where(repository)} do not exist"


def no_layer(repository: Key, digest: str) -> AWSError:
    """The layer is not there to be downloaded."""
    return AWSError(
        "LayersNotFoundException", f"The layer with digest '{digest}' does not exist in {_where(repository)}"
    )


def layer_exists(repository: Key, digest: str) -> AWSError:
    """The layer that is completed is there already."""
    return AWSError(
        "LayerAlreadyExistsException", f"Layer with digest '{digest}' already exists in {_where(repository)}"
    )


def wrong_layer_digest(said: str, computed: str) -> AWSError:
    """What was uploaded is not what the digest says."""
    text = f"Layer validation failed: the digest of what was uploaded is '{computed}', not '{said}'"
    return AWSError("InvalidLayerException", text)


def no_upload(repository: Key, upload: str) -> AWSError:
    """The upload was completed, has expired, or was never there."""
    text = f"The upload with ID '{upload}' does not exist in {_where(repository)}"
    return AWSError("UploadNotFoundException", text)


def empty_upload(repository: Key, upload: str) -> AWSError:
    """Nothing was uploaded."""
    text = f"The upload with ID '{upload}' in {_where(repository)} does not contain any layer parts"
    return AWSError("EmptyUploadException", text)


def wrong_part(repository: Key, upload: str, received: int) -> AWSError:
    """The part does not follow the last byte. `received` is how many bytes there are."""
    return AWSError(
        "InvalidLayerPartException",
        "The layer part size is not valid, or the first byte specified is not consecutive to the last byte of a "
        "previous layer part upload.",
        members={
            "registryId": repository.account,
            "repositoryName": repository.name,
            "uploadId": upload,
            "lastValidByteReceived": max(received - 1, 0),
        },
    )


def no_lifecycle_policy(repository: Key) -> AWSError:
    """The repository has none."""
    text = f"Lifecycle policy does not exist for {_where(repository)}"
    return AWSError("LifecyclePolicyNotFoundException", text)


def no_preview(repository: Key) -> AWSError:
    """None was started."""
    text = f"Lifecycle policy preview does not exist for {_where(repository)}"
    return AWSError("LifecyclePolicyPreviewNotFoundException", text)


def no_repository_policy(repository: Key) -> AWSError:
    """The repository has none."""
    text = f"Repository policy does not exist for {_where(repository)}"
    return AWSError("RepositoryPolicyNotFoundException", text)


def no_registry_policy(registry: str) -> AWSError:
    """The registry has none."""
    text = f"Registry policy does not exist in the registry with id '{registry}'"
    return AWSError("RegistryPolicyNotFoundException", text)
