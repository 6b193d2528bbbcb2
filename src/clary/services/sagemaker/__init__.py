"""SageMaker: training jobs, models, endpoint configurations, endpoints, tags."""

from clary.services.sagemaker import endpoint_configs, endpoints, models, tags, training_jobs, training_updates

__all__ = ["endpoint_configs", "endpoints", "models", "tags", "training_jobs", "training_updates"]
