"""SageMaker Runtime: predictions, answered next to the socket."""

from clary.services.sagemaker_runtime import asynchronous, invocations

__all__ = ["asynchronous", "invocations"]
