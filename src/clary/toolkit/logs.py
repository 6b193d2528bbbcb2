"""The toolkit's own lines in the log, in the form of the public toolkit's."""

from __future__ import annotations

import logging
import sys
from typing import Mapping

_NAME = "sagemaker-training-toolkit"
_FORMAT = "%(asctime)s %(name)-12s %(levelname)-8s %(message)s"


def get_logger() -> logging.Logger:
    """The toolkit's logger."""
    return logging.getLogger(_NAME)


def configure(level: int, environ: Mapping[str, str]) -> None:
    """Lines go to standard output, at once where PYTHONUNBUFFERED is set.

    That variable is read when Python starts; in a process that was forked from a warm one it comes too late.
    """
    if environ.get("PYTHONUNBUFFERED"):
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(write_through=True)  # type: ignore[union-attr]
    logger = get_logger()
    logger.setLevel(level)
    logger.propagate = False
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter(_FORMAT))
    logger.handlers[:] = [handler]
