"""SageMaker Metrics: what a run of an experiment measures."""
