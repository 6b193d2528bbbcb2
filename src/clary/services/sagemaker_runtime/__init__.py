"""SageMaker Runtime: predictions, answered next to the socket."""
