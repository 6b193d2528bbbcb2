"""SageMaker: training jobs, tuning jobs, transform jobs, compilation jobs, models, endpoint configurations, endpoints,
inference components, inference experiments, the registry of models, experiments and lineage, Studio's definitions,
search, tags."""
