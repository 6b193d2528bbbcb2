"""SageMaker: training jobs, transform jobs, models, endpoint configurations, endpoints, tags."""

from clary.services.sagemaker import (
    endpoint_configs,
    endpoints,
    models,
    tags,
    training_jobs,
    training_updates,
    transform_jobs,
)

__all__ = ["endpoint_configs", "endpoints", "models", "tags", "training_jobs", "training_updates", "transform_jobs"]
