"""SageMaker: training jobs, tuning jobs, transform jobs, compilation jobs, models, endpoint configurations, endpoints,
inference components, inference experiments, search, tags."""

from clary.services.sagemaker import (
    compilation_jobs,
    endpoint_configs,
    endpoints,
    hubs,
    inference_components,
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
    "compilation_jobs",
    "endpoint_configs",
    "endpoints",
    "hubs",
    "inference_components",
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
