"""Serves parameters to the hosts of a job until it is ended; `TF_CONFIG` says which server of which cluster it is."""

from __future__ import annotations

import json
import os

import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]


def main() -> None:
    """Serve."""
    config = json.loads(os.environ["TF_CONFIG"])
    task = config["task"]
    # several of TensorFlow's processes on one GPU take its memory from one another
    without_gpu = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
    cluster = tf.train.ClusterSpec(config["cluster"])
    tf.distribute.Server(cluster, job_name="ps", task_index=task["index"], config=without_gpu).join()


if __name__ == "__main__":
    main()
