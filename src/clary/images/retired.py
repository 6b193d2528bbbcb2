"""Framework images whose frameworks have ended: no Python of today runs them. What to use is said once, here."""

from __future__ import annotations

from collections.abc import Mapping

_MXNET = (
    "Apache MXNet was retired in 2023 and has no release for the Pythons of today."
    " Move the script to PyTorch (`sagemaker.pytorch.PyTorch`) or TensorFlow (`sagemaker.tensorflow.TensorFlow`)."
)
_CHAINER = (
    "Chainer has had no release since 2019 and its authors moved to PyTorch."
    " Move the script to PyTorch (`sagemaker.pytorch.PyTorch`), whose modules and training loops are alike."
)
_REINFORCEMENT = (
    "The images of RLEstimator (Coach, old releases of Ray, Vowpal Wabbit) have ended."
    " Run the script by `sagemaker.pytorch.PyTorch` with `ray[rllib]` or `gymnasium` in its requirements.txt."
)
_LEGACY = (
    "TensorFlow's legacy mode (`train_input_fn`, `serving_input_fn`) ended with TensorFlow 1."
    " Make the entry point a script that saves its model below SM_MODEL_DIR, and run it by"
    " `sagemaker.tensorflow.TensorFlow` with `script_mode=True`, `py_version='py3'` and a `framework_version` of 2."
)
_ELASTIC = (
    "Amazon Elastic Inference ended in 2024. Leave out `accelerator_type`, and the ordinary image serves the model."
)
_HUGGING_FACE = (
    "Transformers for TensorFlow has ended. Give the estimator or model `pytorch_version` in place of"
    " `tensorflow_version`, and load the model by its `AutoModel` class."
)

ADVICE: Mapping[str, str] = {
    "huggingface-tensorflow-inference": _HUGGING_FACE,
    "huggingface-tensorflow-training": _HUGGING_FACE,
    "mxnet-inference": _MXNET,
    "mxnet-inference-eia": _MXNET,
    "mxnet-training": _MXNET,
    "pytorch-inference-eia": _ELASTIC,
    "sagemaker-chainer": _CHAINER,
    "sagemaker-mxnet": _MXNET,
    "sagemaker-mxnet-eia": _MXNET,
    "sagemaker-mxnet-serving": _MXNET,
    "sagemaker-mxnet-serving-eia": _MXNET,
    "sagemaker-rl-coach-container": _REINFORCEMENT,
    "sagemaker-rl-mxnet": _REINFORCEMENT,
    "sagemaker-rl-ray-container": _REINFORCEMENT,
    "sagemaker-rl-tensorflow": _REINFORCEMENT,
    "sagemaker-rl-vw-container": _REINFORCEMENT,
    "sagemaker-tensorflow": _LEGACY,
    "sagemaker-tensorflow-eia": _ELASTIC,
    "sagemaker-tensorflow-serving-eia": _ELASTIC,
    "tensorflow-inference-eia": _ELASTIC,
}
"""Repository → what to use instead."""
