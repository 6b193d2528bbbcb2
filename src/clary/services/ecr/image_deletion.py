"""Deleting images (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clary.services.context import Context
from clary.services.ecr.images import failure, fault
from clary.services.ecr.names import image_key, tag_key
from clary.services.ecr.rows import repository_key, still_there
from clary.services.ecr.service import SERVICE
from clary.services.ecr.standing import Standing
from clary.services.resources import Output, Params
from clary.store.rows import Key

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


@SERVICE.operation("BatchDeleteImage")
def batch_delete(context: Context, params: Params) -> Output:
    """By digest the image with all its tags; by tag the tag, and with its last tag the image.

    Raises RepositoryNotFoundException.
    """
    repository = repository_key(context, params)

    def change(transaction: Transaction) -> Output:
        still_there(transaction, repository)
        deletion = _Deletion(transaction, repository, Standing.of(transaction, repository))
        for wanted in params["imageIds"]:
            deletion.of(wanted)
        return {"imageIds": deletion.deleted, "failures": deletion.failures}

    return context.store.write(change)


@dataclass
class _Deletion:
    """One batch, within its transaction."""

    transaction: Transaction
    repository: Key
    standing: Standing
    deleted: list[Output] = field(default_factory=list)
    failures: list[Output] = field(default_factory=list)

    def of(self, wanted: Params) -> None:
        """Delete what an image's id names, or say why not."""
        problem = fault(wanted)
        if problem:
            self.failures.append(failure(wanted, problem))
        elif wanted.get("imageTag") is None:
            self._image(wanted["imageDigest"], wanted)
        else:
            self._tag(wanted["imageTag"], wanted)

    def _tag(self, tag: str, wanted: Params) -> None:
        row = self.transaction.get(tag_key(self.repository, tag))
        if row is None:
            self.failures.append(failure(wanted, "ImageNotFound"))
        elif wanted.get("imageDigest") not in (None, row.spec["digest"]):
            self.failures.append(failure(wanted, "ImageTagDoesNotMatchDigest"))
        elif self.standing.tags[row.spec["digest"]] == [tag]:
            self._image(row.spec["digest"], wanted)
        else:
            self.standing.remove_tag(self.transaction, self.repository, row.spec["digest"], tag)
            self.deleted.append({"imageDigest": row.spec["digest"], "imageTag": tag})

    def _image(self, digest: str, wanted: Params) -> None:
        lists = self.standing.listed_by.get(digest)
        if self.transaction.get(image_key(self.repository, digest)) is None:
            self.failures.append(failure(wanted, "ImageNotFound"))
        elif lists:
            text = f"Requested image referenced by manifest list: [{', '.join(lists)}]"
            self.failures.append(failure(wanted, "ImageReferencedByManifestList", text))
        else:
            tags = self.standing.remove_image(self.transaction, self.repository, digest)
            self.deleted += [{"imageDigest": digest, "imageTag": tag} for tag in tags] or [{"imageDigest": digest}]
