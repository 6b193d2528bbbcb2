"""The public inference toolkit's names, as scripts import them (https://github.com/aws/sagemaker-inference-toolkit)."""
