"""The first toolkit's names, as older scripts import them (https://github.com/aws/sagemaker-containers)."""
