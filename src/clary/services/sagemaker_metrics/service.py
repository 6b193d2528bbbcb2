"""SageMaker Metrics: which operations are offered, and the right that each needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html)."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.names import sagemaker_arn
from clary.services.registry import Service
from clary.services.sagemaker.job_components import COMPONENT_KIND


def access(call: Call) -> list[Access]:
    """`sagemaker:BatchPutMetrics` on the trial component, `sagemaker:BatchGetMetrics` on each that is asked."""
    component = call.params.get("TrialComponentName")
    if component:
        arns = [sagemaker_arn(call.region, call.principal.account, COMPONENT_KIND, component)]
    else:
        arns = [str(each["ResourceArn"]) for each in call.params.get("MetricQueries") or ()]
    return [Access(f"sagemaker:{call.operation}", arn) for arn in dict.fromkeys(arns)]


SERVICE = Service("sagemaker-metrics", access, "clary.services.sagemaker_metrics.operations")
