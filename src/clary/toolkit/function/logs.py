"""What is written to the log: the lines around each invocation, and what functions log by `logging`
(https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html)."""

from __future__ import annotations

import datetime
import json
import logging
import math
import os
import sys
import time
from typing import Any, Dict, NamedTuple

_TEXT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
_TIME = "%Y-%m-%dT%H:%M:%S"

_PAGE = os.sysconf("SC_PAGE_SIZE")


class RequestId(logging.Filter):
    """Gives every record the id of the invocation in which it is made."""

    current = ""

    def filter(self, record: logging.LogRecord) -> bool:
        """Called by logging."""
        record.aws_request_id = RequestId.current
        return True


class Handler(logging.Handler):
    """Writes records to standard output, as they come."""

    def emit(self, record: logging.LogRecord) -> None:
        """Called by logging."""
        sys.stdout.write(self.format(record))


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON (LoggingConfig.LogFormat=JSON)."""

    def format(self, record: logging.LogRecord) -> str:
        """Called by logging."""
        made = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        said: Dict[str, Any] = {
            "timestamp": made.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": RequestId.current,
        }
        if record.exc_info:
            said["stackTrace"] = self.formatException(record.exc_info).splitlines()
        return json.dumps(said, default=str) + "\n"


def prepare(log_format: str, level: str) -> None:
    """The root logger's handler, as it is before the function is imported; `level` may be empty."""
    handler = Handler()
    handler.addFilter(RequestId())
    formatter = logging.Formatter(_TEXT, _TIME)
    formatter.converter = time.gmtime
    handler.setFormatter(JsonFormatter() if log_format == "JSON" else formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    if level:
        root.setLevel("DEBUG" if level == "TRACE" else "CRITICAL" if level == "FATAL" else level)


class Report(NamedTuple):
    """What is told of an invocation at its end; `init_milliseconds` is 0 but for an environment's first."""

    request: str
    milliseconds: float
    memory_size: str
    init_milliseconds: float

    def lines(self, used: int) -> str:
        """Its last two lines; `used` in MB."""
        line = "END RequestId: {}\nREPORT RequestId: {}\tDuration: {:.2f} ms\tBilled Duration: {} ms\t".format(
            self.request, self.request, self.milliseconds, math.ceil(self.milliseconds)
        )
        line += "Memory Size: {} MB\tMax Memory Used: {} MB\t".format(self.memory_size, used)
        if self.init_milliseconds:
            line += "Init Duration: {:.2f} ms\t".format(self.init_milliseconds)
        return line


def start_line(request: str, version: str) -> str:
    """The first line of an invocation."""
    return "START RequestId: {} Version: {}".format(request, version)


def start(request: str, version: str) -> None:
    """An invocation begins."""
    RequestId.current = request
    say(start_line(request, version))


def report(told: Report) -> None:
    """It has ended."""
    say(told.lines(memory_used()))


def say(text: str) -> None:
    """Whole lines, whatever the function has made of its standard output."""
    for stream in (sys.stdout, sys.stderr):
        flush_quietly(stream)
    os.write(1, text.encode() + b"\n")


def flush_quietly(stream: Any) -> None:  # noqa: ANN401  a function may have put anything there
    """What was printed comes before what follows; a stream that the function has closed has nothing more."""
    try:
        stream.flush()
    except (OSError, ValueError, AttributeError):
        return


def memory_used() -> int:
    """MB of this process that are in memory now, those included that it shares with its warm parent."""
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123
        _, resident, _ = file.read().split()[:3]
    return int(resident) * _PAGE // 2**20 + 1
