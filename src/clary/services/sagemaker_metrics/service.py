"""SageMaker Metrics: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html)."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.names import sagemaker_arn
from clary.services.registry import Service


def access(call: Call) -> list[Access]:
    """On the trial component that is measured, or on each that is asked for."""
    action = f"sagemaker:{call.operation}"
    if call.operation == "BatchGetMetrics":
        return [Access(action, query["ResourceArn"].lower()) for query in call.params["MetricQueries"]]
    name = call.params["TrialComponentName"]
    return [Access(action, sagemaker_arn(call.region, call.principal.account, "experiment-trial-component", name))]


SERVICE = Service("sagemaker-metrics", access)
