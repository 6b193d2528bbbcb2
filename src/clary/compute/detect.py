"""Whether this machine can run containers: found out by running one, never by reading what it claims of itself."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from clary.compute import plan, record
from clary.compute.base import Container
from clary.compute.launch import Identity
from clary.compute.removal import remove
from clary.errors import ClaryError
from clary.settings import Settings

_SECONDS = 120.0
"""A machine with much else to do takes tens; what forbids containers says so at once."""

_PREFIX = "probe-"
_LAUNCHER = Path(__file__).resolve().parent.parent / "launcher" / "main.py"
_OWN_WORD = "Or, for code that you trust as yourself: `clary up --unconfined`."


def check(settings: Settings) -> Identity:
    """Run the whole recipe once with `true`; the answer is who a container's program may be on this machine.

    Takes some 50 ms. Raises ClaryError, with the one remedy, where containers cannot be had.
    """
    if settings.unconfined:
        return plan.alone()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _clear(settings.data_dir)
    reason = ""
    for who in _candidates():
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=settings.data_dir) as folder:
            reason = _try(Path(folder), who)
        if not reason:
            return who
    raise ClaryError(f"Containers cannot be run here: {reason}.", f"{_remedy()} {_OWN_WORD}")


def _clear(data_dir: Path) -> None:
    """What one that was killed has left; not that of one which may be at it."""
    for folder in data_dir.glob(f"{_PREFIX}*"):
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > 2 * _SECONDS:
                remove(str(folder))


def _candidates() -> list[Identity]:
    """Best first: root may be refused a range of ids, inside somebody else's container."""
    best = plan.identity(os.geteuid())
    return [best] if best["count"] == 1 else [best, plan.alone()]


def _try(folder: Path, who: Identity) -> str:
    """Why it did not work, or nothing. Raises ClaryError where there is no saying: others would take as long."""
    container = Container(argv=("true",), env={}, log=str(folder / "log"))
    record.write(str(folder), record.LAUNCH, dict(plan.launch(folder, container, who)), durable=False)
    command = [sys.executable, "-I", "-S", str(_LAUNCHER), "--probe", str(folder)]
    try:
        subprocess.run(command, timeout=_SECONDS, check=False, capture_output=True)
    except subprocess.TimeoutExpired as late:
        what = f"A container with nothing to do has not ended within {_SECONDS:.0f} seconds."
        raise ClaryError(what, "Try again when this machine has less to do.") from late
    ended = record.read(str(folder), record.EXIT)
    if ended is None:
        return "the launcher failed: " + _last_line(folder / record.SHIM_LOG)
    return "" if ended["code"] == 0 else ended["reason"] or f"`true` ended with {ended['code']}"


def _last_line(path: Path) -> str:
    lines = path.read_text().strip().splitlines() if path.exists() else []
    return lines[-1] if lines else "no word why"


def _says(path: str, value: str) -> bool:
    try:
        return Path(path).read_text().strip() == value
    except OSError:
        return False


def _remedy() -> str:
    """What is most likely to be in the way; asked only after it did not work."""
    if _says("/proc/sys/user/max_user_namespaces", "0"):
        return "Allow user namespaces: `sudo sysctl -w user.max_user_namespaces=15000`."
    if _says("/proc/sys/kernel/unprivileged_userns_clone", "0"):
        return "Allow user namespaces: `sudo sysctl -w kernel.unprivileged_userns_clone=1`."
    if _says("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"):
        return "Allow user namespaces: `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`."
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return "Start the surrounding container with `--privileged`."
    return "A kernel with user namespaces (CONFIG_USER_NS) is needed."
