"""The user's requirements, installed beside the image's environment, which is read-only.

They go into a layer: a small virtual environment whose packages come before the image's. pip sees the image's packages
as installed, skips what is satisfied, and puts what is missing or of another version into the layer.
"""

from __future__ import annotations

import os
import site
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Optional, Type

from clary.toolkit.errors import CalledProcessError, InstallModuleError, InstallRequirementsError
from clary.toolkit.tail import Tail, copy_through

CONTAINER_ROOT = "/opt/clary"
"""Where containers see this package."""

PUBLIC_NAMES = CONTAINER_ROOT + "/clary/toolkit/public"
"""The public toolkits' module names (`sagemaker_training`, …), after everything that is installed."""


class Layer(NamedTuple):
    """A virtual environment on top of another."""

    python: Path
    packages: Path

    def empty(self) -> bool:
        """Whether the image's environment had everything already."""
        return not any(entry.suffix != ".pth" for entry in self.packages.iterdir())


def requirements_in(folder: Path) -> Optional[Path]:
    """`requirements.txt` of a source folder, where there is one with something in it."""
    path = folder / "requirements.txt"
    if not path.is_file():
        return None
    lines = (line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    return path if any(line and not line.startswith("#") for line in lines) else None


def install_requirements(requirements: Path, environ: Mapping[str, str]) -> Layer:
    """`pip install -r` into a fresh layer. Raises InstallRequirementsError with pip's own last words."""
    layer = _create()
    command = [str(layer.python), "-m", "pip", "install", "-r", requirements.name]
    _pip(command, requirements.parent, environ, InstallRequirementsError)
    return layer


def install_module(folder: Path, environ: Mapping[str, str]) -> Layer:
    """`pip install .` of a folder with a setup.py, its requirements included. Raises InstallModuleError."""
    layer = _create()
    command = [str(layer.python), "-m", "pip", "install", "."]
    if requirements_in(folder):
        command += ["-r", "requirements.txt"]
    _pip(command, folder, environ, InstallModuleError)
    return layer


def python_path(environ: Mapping[str, str], *first: str) -> str:
    """PYTHONPATH for another Python: `first`, what is set already, and the folder that holds this package."""
    root = CONTAINER_ROOT if Path(CONTAINER_ROOT).is_dir() else str(Path(__file__).resolve().parents[2])
    inherited = [entry for entry in environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return os.pathsep.join(list(dict.fromkeys([*first, *inherited, root])))


def offer_public_names() -> None:
    """Let scripts import the public toolkits' names.

    An environment's Python does by itself (`public.pth`), but not one that began outside of the container.
    """
    folder = PUBLIC_NAMES if Path(PUBLIC_NAMES).is_dir() else str(Path(__file__).resolve().parent / "public")
    if folder not in sys.path:
        sys.path.append(folder)


def _create() -> Layer:
    """A virtual environment without pip, written by hand: `python -m venv` takes a hundred times as long."""
    folder = Path(tempfile.mkdtemp(prefix="packages-"))
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    packages = Path(sysconfig.get_path("purelib", "posix_prefix", {"base": str(folder), "platbase": str(folder)}))
    (folder / "bin").mkdir()
    packages.mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(base)
    (folder / "bin" / "python3").symlink_to("python")
    (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\ninclude-system-site-packages = false\n")
    lines = (f"import site; site.addsitedir({path!r})" for path in _image_packages())
    (packages / "image.pth").write_text("\n".join(lines) + "\n")
    return Layer(folder / "bin" / "python", packages)


def _image_packages() -> List[str]:
    own = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    return [path for path in dict.fromkeys([*own, *site.getsitepackages()]) if Path(path).is_dir()]


def _pip(command: List[str], folder: Path, environ: Mapping[str, str], error: Type[CalledProcessError]) -> None:
    env: Dict[str, str] = dict(environ)
    env.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    env.setdefault("PIP_ROOT_USER_ACTION", "ignore")
    env.setdefault("PIP_NO_CACHE_DIR", "1")
    tail = Tail()
    with subprocess.Popen(command, cwd=str(folder), env=env, stderr=subprocess.PIPE) as process:
        copy_through(process.stderr, tail)
        code = process.wait()
    if code:
        raise error(" ".join(command), code, tail.reason())
