"""DataProcessing: what of a record is sent, and what of record and answer is kept
(https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html).

CSV rows and JSON documents, one a line; a whole object that is not split is one JSON document.
"""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from clary.workload.transform.jsonpath import BadPath, Path, parse

OUTPUT = "SageMakerOutput"
INPUT = "SageMakerInput"
"""Members of a joined JSON record."""


class Mismatched(Exception):
    """Records and answers do not go together, or a filter leads nowhere; the text is for the data log."""


@dataclass(frozen=True)
class Processing:
    """The three members, ready for use. Raises BadPath when made of bad paths."""

    input_filter: Path
    output_filter: Path
    join: bool
    as_csv: bool
    stamp: Callable[[], tuple[str, str]] | None
    """Makes an inference's id and time for each record (GenerateInferenceId)."""
    by_line: bool
    """Whether a batch holds a record a line; else it is one record."""

    @classmethod
    def of(cls, plan: dict[str, Any]) -> Processing:
        """As the plan says it."""
        kind = plan["content_type"].partition(";")[0].strip().lower()
        return cls(
            parse(plan["input_filter"]),
            parse(plan["output_filter"]),
            plan["join"],
            stamp=_stamp if plan.get("inference_id") else None,
            as_csv=kind in ("text/csv", ""),
            by_line=plan["split"] == "Line" or kind in ("text/csv", "application/jsonlines"),
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
        return self._joined([self._kept(self.input_filter, record) for record in self._records(batch)])

    def answer(self, batch: bytes, answer: bytes) -> bytes:
        """What is kept of a batch and its answer. Raises Mismatched."""
        if self._keeps_answers:
            return answer
        outputs = self._records(answer)
        if self.join:
            inputs = self._records(batch)
            if len(inputs) != len(outputs):
                text = f"{len(inputs)} records were answered by {len(outputs)}: they cannot be joined."
                raise Mismatched(text)
            outputs = [self._join(given, got) for given, got in zip(inputs, outputs, strict=True)]
        kept = [self._kept(self.output_filter, record) for record in outputs]
        return self._joined([self._stamped(record) for record in kept] if self.stamp else kept)

    def _stamped(self, record: Any) -> Any:  # noqa: ANN401 — JSON or a row
        """The record with the id and time of its inference: two columns, or two members."""
        assert self.stamp is not None  # noqa: S101 — for the type
        number, moment = self.stamp()
        if self.as_csv:
            return [*record, number, moment]
        found = record if isinstance(record, dict) else {OUTPUT: record}
        return {**found, "SageMakerInferenceId": number, "SageMakerInferenceTime": moment}

    def _records(self, data: bytes) -> list[Any]:
        try:
            return self._csv(data) if self.as_csv else self._json(data)
        except (ValueError, csv.Error) as error:
            raise Mismatched(f"A record cannot be read: {error}") from None

    def _csv(self, data: bytes) -> list[Any]:
        if b'"' in data:
            return [row for row in csv.reader(io.StringIO(data.decode())) if row]
        return [line.split(",") for line in data.decode().splitlines() if line]

    def _json(self, data: bytes) -> list[Any]:
        if self.by_line:
            return [json.loads(line) for line in data.splitlines() if line.strip()]
        return [json.loads(data)]

    def _kept(self, path: Path, record: Any) -> Any:  # noqa: ANN401 — JSON or a row
        if path.is_whole:
            return record
        try:
            if not self.as_csv:
                return path.of(record)
            return _columns(path)(record)
        except (BadPath, IndexError) as error:
            text = str(error) if isinstance(error, BadPath) else f"A row has no column {path.text}."
            raise Mismatched(text) from None

    def _join(self, given: Any, got: Any) -> Any:  # noqa: ANN401
        if self.as_csv:
            return [*given, *got]
        if isinstance(given, dict):
            return {**given, OUTPUT: got}
        return {INPUT: given, OUTPUT: got}

    def _joined(self, records: Sequence[Any]) -> bytes:
        if not self.as_csv:
            lines = [json.dumps(record, separators=(",", ":")) for record in records]
            return "\n".join(lines).encode() + (b"\n" if self.by_line else b"")
        if any("," in cell or '"' in cell or "\n" in cell for row in records for cell in row):
            stream = io.StringIO()
            csv.writer(stream, lineterminator="\n").writerows(records)
            return stream.getvalue().encode()
        return "".join(",".join(row) + "\n" for row in records).encode()


def _stamp() -> tuple[str, str]:
    return str(uuid.uuid4()), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _columns(path: Path) -> Callable[[Sequence[Any]], Sequence[Any]]:
    if path.columns is None or len(path.steps) > 1:
        raise BadPath(f"The path {path.text} leads nowhere in a row of CSV.")
    return path.columns
