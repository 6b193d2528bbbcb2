"""CloudWatch: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html)."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.services.registry import Service


def access(call: Call) -> list[Access]:
    """`cloudwatch:<Operation>`; metrics have no ARN, and PutMetricData a condition key for the namespace."""
    context = {"cloudwatch:namespace": call.params["Namespace"]} if call.operation == "PutMetricData" else {}
    return [Access(f"cloudwatch:{call.operation}", "*", context)]


SERVICE = Service("cloudwatch", access)
