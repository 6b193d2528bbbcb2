"""What a run does that is no call of AWS's: fetch the commit, build the image. All of it may be done again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from clary.errors import AWSError, ClaryError
from clary.hooks import repository
from clary.hooks.hook import Hook
from clary.hooks.repository import Commit
from clary.identity.sealed_text import TextSealer
from clary.identity.sealing import BadToken
from clary.images.own import OwnImages
from clary.images.programs import PROGRAMS
from clary.later import later
from clary.settings import Settings
from clary.telemetry.paths import stream_file
from clary.workload.errors import WorkloadError

if TYPE_CHECKING:
    from clary.hooks import engine_image
    from clary.hooks.engine_image import Ask
    from clary.images import adding
else:
    engine_image, adding = later("clary.hooks.engine_image"), later("clary.images.adding")  # for the first build

OnLine = Callable[[str], None]
Ended = Callable[[], bool]


class HookWorkload:
    """For all hooks of one Clary."""

    def __init__(self, settings: Settings, own: OwnImages) -> None:
        self._settings = settings
        self._own = own
        self._sealer = TextSealer.of(settings.data_dir)

    def fetch(self, hook: Hook, number: int, on_line: OnLine, ended: Ended) -> Commit:
        """The branch's newest commit into the run's folder. Raises WorkloadError, Cancelled."""
        on_line(f"fetching {hook.branch} of {hook.repository}")
        try:
            source = hook.source(self._sealer)
        except BadToken as error:
            raise WorkloadError("The token was sealed by another key: remove the hook, and add it again.") from error
        return repository.fetch(source, self._folder(hook, number), ended)

    def build(self, hook: Hook, number: int, commit: str, on_line: OnLine, ended: Ended, ask: Ask) -> str:
        """The commit's image; its address. Raises WorkloadError where it cannot be built, AWSError, Cancelled."""
        root = self._folder(hook, number)
        folder = root / hook.folder
        if not folder.is_dir():
            raise WorkloadError(f"The repository has no folder {hook.folder}.")
        try:
            if self._is_for_engine(folder):
                return self._pushed(hook, commit, engine_image.build(folder, hook.image, on_line, ended), on_line, ask)
            return self._program(hook, root, commit, on_line)
        except ClaryError as error:
            raise WorkloadError(str(error).replace(f"{root}/", "").replace(str(root), "the repository")) from error
        except AWSError as error:
            raise WorkloadError(f"{error.code}: {error.message}") from error

    def _is_for_engine(self, folder: Path) -> bool:
        """A Dockerfile counts, unless containers run in sandboxes only and there are programs to run there."""
        if not (folder / "Dockerfile").is_file():
            return False
        if self._settings.compute != "sandbox":
            return True
        if not any((folder / name).is_file() for name in PROGRAMS):
            raise ClaryError("A Dockerfile needs a container engine.", "This Clary was started with --compute sandbox.")
        return False

    def _pushed(self, hook: Hook, commit: str, built: str, on_line: OnLine, ask: Ask) -> str:
        name = hook.image_of(commit)
        repository, _, tag = name.partition(":")
        moving = hook.image.partition(":")[2]
        digest = engine_image.push(self._settings, built, repository, (tag, moving), ask)
        on_line(f"image {name}, also called {hook.image}, in the registry: {digest}")
        return hook.address(name)

    def _program(self, hook: Hook, root: Path, commit: str, on_line: OnLine) -> str:
        """The name that moves is moved last: it never means an image that cannot be started."""
        requirements = root / hook.requirements if hook.requirements else None
        name, content = hook.image_of(commit), adding.content(root / hook.folder, requirements, hook.python)
        entry = adding.add(self._own, name, content, self._settings.images_dir)
        adding.build(self._settings.cache_dir, entry, on_line, wheels_only=True)
        self._own.put(hook.image, entry.image, self._settings.images_dir / entry.image.id, time.time())
        on_line(f"image {name}, also called {hook.image}, on Python {entry.image.python}")
        return hook.address(name)

    def log_file(self, hook: Hook, stream: str) -> Path:
        """Where a run's lines go."""
        return stream_file(self._settings.logs_dir, hook.account, hook.region, hook.log_group, stream)

    def clear(self, name: str, number: int | None = None) -> None:
        """What a run has fetched is not needed any more; without a number, what all have."""
        folder = self._settings.hooks_dir / name
        shutil.rmtree(folder if number is None else folder / str(number), ignore_errors=True)

    def sweep(self, wanted: Iterable[tuple[str, int]]) -> None:
        """Remove what no run has fetched that goes on: a crash has left it, or the hook is gone."""
        kept = {self._settings.hooks_dir / name / str(number) for name, number in wanted}
        for folder in self._settings.hooks_dir.glob("*/*"):
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _folder(self, hook: Hook, number: int) -> Path:
        return self._settings.hooks_dir / hook.name / str(number)
