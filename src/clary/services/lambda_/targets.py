"""Where events go that are over
(https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html)."""

from __future__ import annotations

from typing import Protocol

from clary.lifecycles.function import KIND
from clary.services.lambda_.errors import invalid, not_offered
from clary.services.sns.names import KIND as TOPIC
from clary.services.sqs.names import FIFO
from clary.services.sqs.names import KIND as QUEUE
from clary.store.rows import Row

_FUNCTION_PARTS = 7


class Rows(Protocol):
    """What reads them."""

    def by_arn(self, arn: str) -> Row | None:
        """The row that bears `arn`, or None."""
        ...


def check_target(rows: Rows, what: str, arn: str, *, functions: bool = True) -> None:
    """A function, a standard queue or a topic, that is there. Raises InvalidParameterValueException."""
    parts = arn.split(":")
    service = parts[2] if len(parts) > 5 else ""
    kinds = {"sqs": QUEUE, "sns": TOPIC, **({"lambda": KIND} if functions else {})}
    if service not in kinds:
        offered = "functions, queues and topics" if functions else "queues and topics"
        raise not_offered(f"{what} {arn} (what may be one: {offered})")
    row = rows.by_arn(":".join(parts[:_FUNCTION_PARTS]))
    if row is None or row.key.kind != kinds[service] or arn.endswith(FIFO):
        raise invalid(f"The destination ARN {arn} is invalid.")
