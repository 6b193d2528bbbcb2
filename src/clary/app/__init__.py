"""The composition root: builds each process from the parts. Only these files may import anything; one per process, so
that none loads what another needs."""

from __future__ import annotations

import faulthandler
import gc
import sys

from clary.supervisor.child import SLOW

if sys.argv[:1] == ["-m"]:  # one of these files is about to be a process (docs/decisions/0077)
    gc.disable()  # nothing that is imported becomes garbage: `process.run` collects from then on
    faulthandler.dump_traceback_later(SLOW, repeat=True)  # into the log, until `Start.ready` (docs/decisions/0079)
    sys.modules["awscrt.auth"] = None  # type: ignore[assignment]  # botocore would sign with it, and nothing is signed here
