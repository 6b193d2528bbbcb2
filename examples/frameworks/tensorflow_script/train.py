"""A small network for house prices. Its last line is all that serving needs: a SavedModel under a number."""

import argparse
import os

import pandas as pd
import tensorflow as tf

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=50)
parser.add_argument("--model_dir", help="In S3; what lies in SM_MODEL_DIR becomes model.tar.gz.")
given, _ = parser.parse_known_args()

houses = pd.read_csv(os.path.join(os.environ["SM_CHANNEL_TRAINING"], "train.csv")).astype("float32")
prices, features = houses["medv"].values, houses.drop(columns="medv").values

tf.keras.utils.set_random_seed(0)
normalization = tf.keras.layers.Normalization()
normalization.adapt(features)
model = tf.keras.Sequential(
    [
        tf.keras.Input(shape=(features.shape[1],)),
        normalization,
        tf.keras.layers.Dense(32, activation="relu"),
        tf.keras.layers.Dense(16, activation="relu"),
        tf.keras.layers.Dense(1),
    ]
)
model.compile(optimizer=tf.keras.optimizers.Adam(0.01), loss="mse")
history = model.fit(features, prices, batch_size=32, epochs=given.epochs, verbose=0)
print(f"loss: {history.history['loss'][-1]:.2f}")

tf.saved_model.save(model, os.path.join(os.environ["SM_MODEL_DIR"], "houses", "1"))
