"""Serves parameters to the hosts of a job until it is ended."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Iterator

import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]

from clary.toolkit.tensorflow.cluster import Config


@contextlib.contextmanager
def beside(config: Config) -> Iterator[None]:
    """A server as `config` says, in a fork of this process: it has TensorFlow, and has not used it yet.

    No `multiprocessing.Process`: the script is a fork of this process too, and would end this one's children with it.
    """
    child = os.fork()
    if child == 0:
        try:
            _serve(config)
        finally:
            os._exit(1)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _serve(config: Config) -> None:
    # several of TensorFlow's processes on one GPU take its memory from one another
    without_gpu = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
    cluster = tf.train.ClusterSpec(config["cluster"])
    tf.distribute.Server(cluster, job_name="ps", task_index=config["task"]["index"], config=without_gpu).join()
