"""Metric math: expressions over metrics' series
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html). Pure."""

from clary.metricmath.evaluation import Graph
from clary.metricmath.expression import BadExpression, parse
from clary.metricmath.values import Series

__all__ = ["BadExpression", "Graph", "Series", "parse"]
