"""What a batch transform job captures: manifests of the objects it has read and written
(https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-batch.html).

    DESTINATION/input/2026/11/21/08/JOB.json    [{"prefix": "s3://bucket/in/"}, "a.csv", …]
    DESTINATION/output/2026/11/21/08/JOB.json   [{"prefix": "s3://bucket/out/"}, "a.csv.out", …]
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from clary.objects import Attributes
from clary.store.rows import Row
from clary.workload.download import Item
from clary.workload.s3uri import join, split
from clary.workload.storage import RoleStorage

_TYPE = Attributes(content_type="application/json")


def capture(storage: RoleStorage, row: Row, done: Sequence[Item], folder: Path) -> None:
    """Write both manifests, by the hour in which the job began; written again they are the same objects.

    Raises NotAllowed, NoSuchBucket, OSError.
    """
    began = datetime.fromtimestamp(row.state["transform_start"], UTC)
    output = row.spec["TransformOutput"]["S3OutputPath"].rstrip("/") + "/"
    names = [f"{item.name}.out" for item in done]
    _put(storage, row, f"input/{began:%Y/%m/%d/%H}", _inputs(done), folder)
    _put(storage, row, f"output/{began:%Y/%m/%d/%H}", [{"prefix": output}, *names], folder)


def _inputs(done: Sequence[Item]) -> list[object]:
    """Their common prefix, and the names below it."""
    if not done:
        return []
    first = done[0]
    key = first.info.key
    prefix = f"s3://{first.info.bucket}/{key[: len(key) - len(first.name)]}"
    return [{"prefix": prefix}, *(item.name for item in done)]


def _put(storage: RoleStorage, row: Row, place: str, manifest: Sequence[object], folder: Path) -> None:
    target = join(row.spec["DataCaptureConfig"]["DestinationS3Uri"], place, f"{row.state['job']}.json")
    path = folder / "manifest.json"
    path.unlink(missing_ok=True)  # the store has taken over the very file that it was given before
    path.write_text(json.dumps(manifest))
    bucket, key = split(target)
    storage.put_file(bucket, key, path, _TYPE, row.spec["DataCaptureConfig"].get("KmsKeyId", ""))
