"""SageMaker Metrics: what a run of an experiment measures."""

from clary.services.sagemaker_metrics import putting
from clary.services.sagemaker_metrics.service import SERVICE

__all__ = ["SERVICE", "putting"]
