"""Hugging Face's inference toolkit: a model folder as a pipeline of Transformers
(https://github.com/aws/sagemaker-huggingface-inference-toolkit)."""
