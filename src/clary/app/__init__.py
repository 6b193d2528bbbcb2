"""The composition root: builds each process from the parts. Only these files may import anything; one per process, so
that none loads what another needs."""

from __future__ import annotations

import gc
import sys

gc.disable()  # what is imported is no garbage: `process.run` collects from then on

sys.modules.setdefault("awscrt.auth", None)  # type: ignore[arg-type]  # else botocore loads it, to sign what we never send
