"""Metric streams go to Firehose, which Clary has not: none can be made, so none is there
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Metric-Streams.html)."""

from __future__ import annotations

from clary.errors import AWSError
from clary.services.cloudwatch.errors import invalid_value
from clary.services.cloudwatch.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params

_NO_STREAMS = "Clary streams no metrics: there is no Firehose to take them."

SERVICE.refuse(invalid_value(_NO_STREAMS), "PutMetricStream")
SERVICE.refuse(invalid_value("No metric stream of that name exists."), "StartMetricStreams", "StopMetricStreams")


@SERVICE.operation("ListMetricStreams", effect="refused")
def list_(_context: Context, _params: Params) -> Output:
    """There is none."""
    return {"Entries": []}


@SERVICE.operation("GetMetricStream", effect="refused")
def get(_context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    raise AWSError("ResourceNotFoundException", f"Metric stream {params['Name']} does not exist", status=404)


@SERVICE.operation("DeleteMetricStream", effect="refused")
def delete(_context: Context, _params: Params) -> Output:
    """One that is not there is deleted, too."""
    return {}
