"""FailureReason: why a container's program failed, in AWS's words and its own
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-output.html)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from clary.compute.base import Exited, Lost

LIMIT = 1024
"""Characters of FailureReason, by the API model."""

INTERNAL = "InternalServerError: We encountered an internal error.  Please try again."

_INTERNAL_FAULT = "InternalServerError"

_FILE_BYTES = 64 * 1024
_CATEGORISED = re.compile(r"(ClientError|AlgorithmError|InternalServerError)\b")
_EXCEPTION = re.compile(r"(?:[A-Za-z_][\w.]*)(?:Error|Exception|Exit|Interrupt|Warning)\b.*|[A-Za-z_][\w.]*: .+")
_TRACEBACK = "Traceback (most recent call last):"


def is_internal(reason: str) -> bool:
    """Whether the machine was at fault, not the job: what RetryStrategy tries again."""
    return reason.startswith(_INTERNAL_FAULT)


def of_host(reason: str, host: str) -> str:
    """The reason, and on which of several hosts it was."""
    suffix = f" (host {host})"
    return cut(reason, LIMIT - len(suffix)) + suffix


def failure_reason(ended: Exited | Lost, said: str, tail: Iterable[str]) -> str | None:
    """None where the program ended well.

    `said` is what stands in /opt/ml/output/failure; `tail` the last lines of the log, oldest first.
    """
    if isinstance(ended, Lost):
        return INTERNAL
    if ended.reason and ended.signal is None:
        return cut(f"ClientError: CannotStartContainerError. {ended.reason}")
    if ended.reason:
        return cut(f"ClientError: {ended.reason}")
    if ended.code == 0:
        return None
    return _with_code(_why(ended, said.strip(), tail), ended.code)


def _why(ended: Exited, said: str, tail: Iterable[str]) -> str:
    if ended.out_of_memory:
        return (
            "ClientError: Please use an instance type with more memory, "
            "or reduce the size of training data processed on an instance."
        )
    text = said or last_exception(tail)
    return text if _CATEGORISED.match(text) else f"AlgorithmError: {text}"


def _with_code(reason: str, code: int) -> str:
    suffix = f", exit code: {code}"
    return cut(reason, LIMIT - len(suffix)) + suffix


def cut(text: str, limit: int = LIMIT) -> str:
    """At most `limit` characters: a long text loses its middle, since its end says what happened."""
    if len(text) <= limit:
        return text
    mark = " … "
    head = (limit - len(mark)) // 3
    return text[:head] + mark + text[len(text) - (limit - head - len(mark)) :]


def last_exception(tail: Iterable[str]) -> str:
    """The last line of the last traceback, else the last line that is not empty."""
    lines = [line.rstrip() for line in tail if line.strip()]
    starts = [number for number, line in enumerate(lines) if _TRACEBACK in line]
    for line in lines[starts[-1] + 1 :] if starts else ():
        if not line.startswith((" ", "\t")) and _EXCEPTION.match(line):
            return line
    return lines[-1].strip() if lines else ""


def read_failure(path: Path) -> str:
    """What the program wrote into its failure file; empty where there is none."""
    if path.is_symlink() or not path.is_file():  # the container's own work: nothing is followed
        return ""
    with path.open("rb") as file:
        return file.read(_FILE_BYTES).decode("utf-8", "replace").strip()
