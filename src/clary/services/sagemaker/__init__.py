"""SageMaker: training jobs, transform jobs, models, endpoint configurations, endpoints, search, tags."""

from clary.services.sagemaker import (
    endpoint_configs,
    endpoints,
    models,
    search,
    tags,
    training_jobs,
    training_updates,
    transform_jobs,
)

__all__ = [
    "endpoint_configs",
    "endpoints",
    "models",
    "search",
    "tags",
    "training_jobs",
    "training_updates",
    "transform_jobs",
]
