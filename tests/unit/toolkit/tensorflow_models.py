"""Saves SavedModels for the tests of TensorFlow's model server: `PYTHON tensorflow_models.py FOLDER`.

`half` has two versions, `0.5 x + 2` and `0.5 x + 3`, and signatures of every kind.
"""

import sys

import tensorflow as tf


class Half(tf.Module):
    def __init__(self):
        super().__init__()
        self.slope = tf.Variable(0.5)
        self.offset = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def predict(self, x):
        return {"y": self.slope * x + self.offset}

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.int32, "v"), tf.TensorSpec([None], tf.string, "tag")])
    def named(self, v, tag):
        return {"sum": tf.reduce_sum(v, 1), "raw_bytes": tag, "upper": tf.strings.upper(tag), "big": v > 2}

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float64, name="x")])
    def product(self, x):
        return {"y": tf.matmul(x, tf.ones([3, 1], tf.float64)) / 3}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def classify(self, examples):
        x = self._parsed(examples)
        labels = tf.tile([["no", "yes"]], [tf.shape(x)[0], 1])
        return {"classes": labels, "scores": tf.stack([1 - x, x], 1)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def regress(self, examples):
        return {"outputs": self.slope * self._parsed(examples) + self.offset}

    @staticmethod
    def _parsed(examples):
        return tf.io.parse_example(examples, {"x": tf.io.FixedLenFeature([], tf.float32)})["x"]


model = Half()
signatures = {
    "serving_default": model.predict,
    "named": model.named,
    "product": model.product,
    "classes": model.classify,
    "values": model.regress,
}
for version, offset in ((1, 2.0), (2, 3.0)):
    model.offset.assign(offset)
    tf.saved_model.save(model, f"{sys.argv[1]}/half/{version}", signatures=signatures)
