"""Asynchronous inference: requests wait on the disk until a replica has answered them, and answers become objects
(https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html)."""
