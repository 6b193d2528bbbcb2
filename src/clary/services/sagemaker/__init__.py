"""SageMaker: training jobs, tuning jobs, transform jobs, models, endpoint configurations, endpoints,
inference experiments, search, tags."""

from clary.services.sagemaker import (
    endpoint_configs,
    endpoints,
    hubs,
    inference_experiments,
    models,
    search,
    tags,
    training_jobs,
    training_updates,
    transform_jobs,
    tuning_jobs,
    tuning_trials,
)

__all__ = [
    "endpoint_configs",
    "endpoints",
    "hubs",
    "inference_experiments",
    "models",
    "search",
    "tags",
    "training_jobs",
    "training_updates",
    "transform_jobs",
    "tuning_jobs",
    "tuning_trials",
]
