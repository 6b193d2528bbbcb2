"""Archives of the bucket: the scripts, and a small trained model of each kind, which can be deployed as it is."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from importlib.resources import files

from clary.algorithms.gradient_boosting import scripts
from clary.jumpstart.offered import Model

_FILE = {"catboost": "model", "lightgbm": "model.txt"}
_ABOUT = """\
Nothing is learned from this archive: {title} begins anew in each job.
"""


def training_script(model: Model) -> bytes:
    """`transfer_learning.py`."""
    return _packed(
        {scripts.TRAINING_PROGRAM: scripts.training(model.library, model.title, model.task).encode()},
    )


def inference_script() -> bytes:
    """`inference.py`."""
    return _packed({scripts.INFERENCE_PROGRAM: scripts.INFERENCE.encode()})


def untrained(model: Model) -> bytes:
    """What SDKs hand to a job as its channel `model`."""
    return _packed({"README": _ABOUT.format(title=model.title).encode()})


def trained(model: Model) -> bytes:
    """A model of the sample data, and its `inference.py`: what `JumpStartModel(…).deploy()` deploys."""
    content = files("clary.jumpstart").joinpath("models", f"{model.id}.gz").read_bytes()
    return _packed(
        {
            _FILE[model.library]: gzip.decompress(content),
            f"code/{scripts.INFERENCE_PROGRAM}": scripts.INFERENCE.encode(),
        }
    )


def _packed(members: Mapping[str, bytes]) -> bytes:
    """A tar.gz that depends on its content alone."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), 6, mtime=0)
