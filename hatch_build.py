"""Compiles the modules on the way of a request, where the build is asked to: `make wheel` (docs/decisions/0063).

Outside the source tree, so that what is edited is what runs in the development environment.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SOURCES = Path("src")
_LIBRARY = "clary_compiled"
"""All modules are in one library, `clary_compiled__mypyc`, so that calls between them are plain calls of C; beside each
module's source lies a small one that gives it from there."""

_DIRECT = ["-fvisibility=hidden", "-fno-plt"]
"""Nobody else's function can stand in for one of the library's own: they are called without looking them up."""


class CompiledModules(BuildHookInterface[Any]):
    """Adds them to a wheel: `[tool.hatch.build.targets.wheel.hooks.custom]` says which."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it packs. Raises SystemExit where the compiler refuses."""
        if version == "editable":
            return
        self._folder = tempfile.TemporaryDirectory()
        built = _built([str(_SOURCES / each) for each in self.config["modules"]], Path(self._folder.name))
        build_data["force_include"] |= {str(file): place for file, place in built.items()}
        build_data["pure_python"], build_data["infer_tag"] = False, True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called by hatchling once it has packed."""
        if version != "editable":
            self._folder.cleanup()


def _built(modules: list[str], folder: Path) -> dict[Path, str]:
    """The libraries, and where each belongs in the wheel."""
    # What a build that compiles nothing may lack.
    from mypyc.build import mypycify  # noqa: PLC0415
    from setuptools import Distribution  # noqa: PLC0415
    from setuptools.command.build_ext import build_ext  # noqa: PLC0415

    options = ["--ignore-missing-imports", "--cache-dir", str(folder / "types")]
    extensions = mypycify(
        [*options, *modules], opt_level="3", debug_level="0", target_dir=str(folder / "c"), group_name=_LIBRARY
    )
    for each in extensions:
        each.extra_compile_args += _DIRECT
    command = build_ext(Distribution({"name": "clary", "ext_modules": extensions}))
    command.build_lib, command.build_temp = str(folder / "lib"), str(folder / "objects")
    command.ensure_finalized()
    command.run()
    libraries = Path(command.build_lib)
    return {file: str(file.relative_to(libraries)) for file in libraries.rglob("*.so")}
