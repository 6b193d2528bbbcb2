"""Trains on reviews, a bag of words and a logistic regression; says how many of others it tells right."""

import argparse
import io
import os

import joblib
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline


def table(channel):
    return pd.read_csv(os.path.join(os.environ["SM_CHANNEL_" + channel.upper()], channel + ".csv"))


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))


def input_fn(body, content_type):
    text = body.decode() if isinstance(body, bytes) else body
    return pd.read_csv(io.StringIO(text), header=None).iloc[:, 0]


def predict_fn(reviews, model):
    return model.predict(reviews)


def output_fn(prediction, accept):
    return "\n".join(prediction) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--regularisation", type=float, default=1.0)
    parser.add_argument("--words", type=int, default=5000)
    parser.add_argument("--pairs", default="no")
    given = parser.parse_args()

    train, validation = table("train"), table("validation")
    together = 2 if given.pairs == "yes" else 1
    bag = TfidfVectorizer(max_features=given.words, ngram_range=(1, together), sublinear_tf=True)
    model = make_pipeline(bag, LogisticRegression(C=1 / given.regularisation, max_iter=1000))
    model.fit(train["review"], train["sentiment"])
    print(f"accuracy={model.score(validation['review'], validation['sentiment']):.4f}")
    joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
