"""DataProcessing: what of a record is sent, and what of record and answer is kept
(https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html).

CSV rows and JSON documents, one a line; a whole object that is not split is one JSON document.
"""

from __future__ import annotations

import csv
import json
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from clary.workload.transform import columns
from clary.workload.transform.jsonpath import BadPath, Path, parse

OUTPUT = "SageMakerOutput"
INPUT = "SageMakerInput"
"""Members of a joined JSON record."""

Stamp = Callable[[], tuple[str, str]]
"""Makes an inference's id and its time."""


class Mismatched(Exception):
    """Records and answers do not go together, or a filter leads nowhere; the text is for the data log."""


_UNREADABLE = (ValueError, csv.Error, RecursionError)
"""RecursionError: JSON that is nested too deeply, by whoever wants to see what becomes of it."""


class Records(ABC):
    """What a batch holds, in one notation. Every method raises Mismatched, or one of _UNREADABLE where records are
    damaged."""

    @abstractmethod
    def read(self, data: bytes) -> Sequence[Any]:
        """A record each."""

    @abstractmethod
    def written(self, records: Sequence[Any]) -> bytes:
        """As they are sent and kept."""

    @abstractmethod
    def kept(self, path: Path, records: Sequence[Any]) -> Sequence[Any]:
        """What a filter keeps of each."""

    @abstractmethod
    def join(self, given: Any, got: Any) -> Any:  # noqa: ANN401 — a row, or JSON
        """A record and its answer."""

    @abstractmethod
    def stamped(self, record: Any, number: str, moment: str) -> Any:  # noqa: ANN401
        """A record with the id and time of its inference."""


class Rows(Records):
    """CSV, as bytes: one row each."""

    def read(self, data: bytes) -> Sequence[bytes]:
        return columns.rows(data)

    def written(self, records: Sequence[bytes]) -> bytes:
        return columns.joined(records)

    def kept(self, path: Path, records: Sequence[bytes]) -> Sequence[bytes]:
        cut = columns.cut(path)
        if cut is None:
            raise Mismatched(f"The path {path.text} leads nowhere in a row of CSV.")
        try:
            return cut(records)
        except IndexError:
            raise Mismatched(f"A row has no column {path.text}.") from None

    def join(self, given: bytes, got: bytes) -> bytes:
        return b"%b,%b" % (given, got)

    def stamped(self, record: bytes, number: str, moment: str) -> bytes:
        return record + f",{number},{moment}".encode()


@dataclass(frozen=True)
class Documents(Records):
    """JSON: one a line, or one alone."""

    by_line: bool

    def read(self, data: bytes) -> Sequence[Any]:
        if self.by_line:
            return [json.loads(line) for line in data.split(b"\n") if line.strip()]
        return [json.loads(data)]

    def written(self, records: Sequence[Any]) -> bytes:
        lines = [json.dumps(record, separators=(",", ":"), ensure_ascii=False) for record in records]
        return "\n".join(lines).encode() + (b"\n" if self.by_line and lines else b"")

    def kept(self, path: Path, records: Sequence[Any]) -> Sequence[Any]:
        try:
            return [path.of(record) for record in records]
        except BadPath as error:
            raise Mismatched(str(error)) from None

    def join(self, given: Any, got: Any) -> Any:  # noqa: ANN401
        return {**given, OUTPUT: got} if isinstance(given, dict) else {INPUT: given, OUTPUT: got}

    def stamped(self, record: Any, number: str, moment: str) -> Any:  # noqa: ANN401
        found = record if isinstance(record, dict) else {OUTPUT: record}
        return {**found, "SageMakerInferenceId": number, "SageMakerInferenceTime": moment}


@dataclass(frozen=True)
class Processing:
    """The three members, ready for use."""

    input_filter: Path
    output_filter: Path
    join: bool
    records: Records
    stamp: Stamp | None
    """For each record that is answered (GenerateInferenceId)."""

    @classmethod
    def of(cls, plan: dict[str, Any]) -> Processing:
        """As the plan says it. Raises BadPath."""
        kind = plan["content_type"].partition(";")[0].strip().lower()
        by_line = plan["split"] == "Line" or kind == "application/jsonlines"
        return cls(
            parse(plan["input_filter"]),
            parse(plan["output_filter"]),
            plan["join"],
            Rows() if kind in ("text/csv", "") else Documents(by_line),
            _stamp if plan.get("inference_id") else None,
        )

    @property
    def is_nothing(self) -> bool:
        """Whether bytes pass as they are."""
        return self.input_filter.is_whole and self._keeps_answers

    @property
    def _keeps_answers(self) -> bool:
        return self.output_filter.is_whole and not self.join and self.stamp is None

    def request(self, batch: bytes) -> bytes:
        """What of a batch is sent. Raises Mismatched."""
        if self.input_filter.is_whole:
            return batch
        try:
            return self.records.written(self.records.kept(self.input_filter, self.records.read(batch)))
        except _UNREADABLE as error:
            raise _unreadable("input", error) from None

    def answer(self, batch: bytes, answer: bytes) -> bytes:
        """What is kept of a batch and its answer. Raises Mismatched."""
        if self._keeps_answers:
            return answer
        try:
            outputs = self.records.read(answer)
            found = self._joined(self.records.read(batch), outputs) if self.join else outputs
            kept = self.records.kept(self.output_filter, found)
            return self.records.written(self._stamped(kept))
        except _UNREADABLE as error:
            raise _unreadable("output", error) from None

    def _joined(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> Sequence[Any]:
        if len(inputs) != len(outputs):
            raise Mismatched(f"{len(inputs)} records were answered by {len(outputs)}: they cannot be joined.")
        return [self.records.join(given, got) for given, got in zip(inputs, outputs, strict=True)]

    def _stamped(self, records: Sequence[Any]) -> Sequence[Any]:
        if self.stamp is None:
            return records
        return [self.records.stamped(record, *self.stamp()) for record in records]


def _unreadable(which: str, error: Exception) -> Mismatched:
    return Mismatched(f"A record of the {which} cannot be read: {error}")


def _stamp() -> tuple[str, str]:
    return str(uuid.uuid4()), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
