"""The public training toolkit's names, as scripts import them (https://github.com/aws/sagemaker-training-toolkit)."""
