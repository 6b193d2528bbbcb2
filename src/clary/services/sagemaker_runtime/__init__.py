"""SageMaker Runtime: predictions, answered next to the socket."""

from clary.services.sagemaker_runtime import asynchronous, invocations, response_streams

__all__ = ["asynchronous", "invocations", "response_streams"]
