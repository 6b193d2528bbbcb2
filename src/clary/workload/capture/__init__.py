"""From the spool of captured requests to objects, as AWS lays them out
(https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html)."""
