"""SageMaker Metrics: what a run measures, as the SDK's `Run.log_metric` sends it."""

from clary.services.sagemaker_metrics import metrics
from clary.services.sagemaker_metrics.service import SERVICE

__all__ = ["SERVICE", "metrics"]
