"""The bundle: the host folder whose parts are mounted below /opt/ml, one by one.

Never /opt/ml as a whole: an image may have code of its own in /opt/ml/code.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from clary.compute.base import Mount, folder
from clary.settings import Settings

_INSIDE = "/opt/ml"
_FOLDER_MODE = 0o777  # the user inside need not be the one who lays the folder out
FILE_MODE = 0o666


@dataclass(frozen=True)
class Bundle:
    """Where the parts of one container's /opt/ml lie on the host."""

    root: Path

    @classmethod
    def of(cls, settings: Settings, container: str) -> Bundle:
        """The bundle of a container, in its own folder."""
        return cls(folder(settings.containers_dir, container) / "bundle")

    @property
    def input(self) -> Path:
        """/opt/ml/input."""
        return self.root / "input"

    @property
    def config(self) -> Path:
        """/opt/ml/input/config."""
        return self.input / "config"

    @property
    def data(self) -> Path:
        """/opt/ml/input/data: one folder per channel."""
        return self.input / "data"

    @property
    def pipes(self) -> Path:
        """What the feeder of pipes reads: its plan, and one folder of files per channel."""
        return self.root / "pipes"

    def channel(self, name: str) -> Path:
        """The files of a channel: never written to, mounted as /opt/ml/input/data/NAME."""
        return self.root / "channels" / name

    def pipe(self, name: str) -> Path:
        """The files of a channel that is a pipe."""
        return self.pipes / name

    @property
    def model(self) -> Path:
        """/opt/ml/model."""
        return self.root / "model"

    @property
    def models(self) -> Path:
        """/opt/ml/models: one folder per model that is loaded on demand; never written to from inside."""
        return self.root / "models"

    @property
    def output(self) -> Path:
        """/opt/ml/output."""
        return self.root / "output"

    @property
    def output_data(self) -> Path:
        """/opt/ml/output/data."""
        return self.output / "data"

    @property
    def failure(self) -> Path:
        """/opt/ml/output/failure: why the program failed, in its own words."""
        return self.output / "failure"

    @property
    def checkpoints(self) -> Path:
        """/opt/ml/checkpoints, or wherever CheckpointConfig puts it."""
        return self.root / "checkpoints"

    @property
    def scratch(self) -> Path:
        """Archives on their way in or out; never mounted."""
        return self.root / "scratch"

    def clear(self) -> None:
        """Begin anew: what an earlier, interrupted try has left is gone."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.mkdir(mode=0o700)


def make_folder(path: Path) -> None:
    """A folder that the user inside may write to, whatever the umask is."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(_FOLDER_MODE)


def readable(source: Path, name: str) -> Mount:
    """A part of the bundle as /opt/ml/NAME, which nothing inside can change."""
    return Mount(str(source), f"{_INSIDE}/{name}")


def writable(source: Path, name: str) -> Mount:
    """A part of the bundle as /opt/ml/NAME."""
    return Mount(str(source), f"{_INSIDE}/{name}", writable=True)
