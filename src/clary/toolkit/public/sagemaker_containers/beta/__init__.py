"""`sagemaker_containers.beta`."""
