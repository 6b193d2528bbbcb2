"""`python -m clary.workload.transform PLAN`: exit code 0 when every file was tried; 3 where a replica is gone."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import sys
from pathlib import Path
from typing import Any

from clary.compute.dial import SandboxDial
from clary.workload.parent import end_with_parent
from clary.workload.transform.engine import Engine, Lost

LOST = 3
_NICENESS = 5


def main(path: Path) -> int:
    """Work the plan off; the exit code."""
    end_with_parent()  # two engines would write the same files
    os.nice(_NICENESS)
    plan = json.loads(path.read_text())
    with (Path(plan["folder"]) / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the one before may be ending still
        return _work(plan)


def _work(plan: dict[str, Any]) -> int:
    engine = Engine(plan, SandboxDial(Path(plan["containers_dir"])), _tell)
    try:
        asyncio.run(engine.run())
    except Lost as lost:
        _tell({"lost": str(lost)})
        return LOST
    return 0


def _tell(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
