"""SageMaker Runtime: predictions, answered next to the socket."""

from clary.services.sagemaker_runtime import invocations

__all__ = ["invocations"]
