"""Film reviews by Transformers, offline: the model comes by a channel. Run it after `eval "$(clary env)"`."""

import collections
import json
import os
import re
import tempfile

import pandas as pd
import sagemaker
from sagemaker.huggingface import HuggingFace

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIG = {
    "architectures": ["DistilBertForSequenceClassification"],
    "model_type": "distilbert",
    "dim": 64,
    "hidden_dim": 128,
    "n_layers": 1,
    "n_heads": 4,
    "max_position_embeddings": 128,
    "id2label": {0: "BAD", 1: "GOOD"},
    "label2id": {"BAD": 0, "GOOD": 1},
}


def write_model(folder, reviews):
    """A configuration and the words that it knows; a folder that `save_pretrained` wrote does as well."""
    counted = collections.Counter(word for review in reviews for word in re.findall(r"[a-z]+", review.lower()))
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(word for word, _ in counted.most_common(3000))]
    with open(os.path.join(folder, "vocab.txt"), "w") as file:
        file.write("\n".join(words))
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump({**CONFIG, "vocab_size": len(words)}, file)
    with open(os.path.join(folder, "tokenizer_config.json"), "w") as file:
        json.dump({"tokenizer_class": "DistilBertTokenizer", "model_max_length": 128}, file)


def main():
    session, role = sagemaker.Session(), sagemaker.get_execution_role()
    reviews = pd.read_csv(os.path.join(HERE, "..", "film_reviews", "imdb_reviews.csv")).sample(frac=1, random_state=1)
    reviews["good"] = (reviews["sentiment"] == "positive").astype(int)
    train, test = reviews.iloc[:-100], reviews.iloc[-100:]
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as model:
        train.to_csv(os.path.join(data, "train.csv"), index=False)
        write_model(model, train["review"])
        inputs = {
            "train": session.upload_data(data, key_prefix="frameworks/reviews"),
            "model": session.upload_data(model, key_prefix="frameworks/model"),
        }

    estimator = HuggingFace(
        entry_point="train.py",
        source_dir=os.path.join(HERE, "huggingface_script"),
        transformers_version="4.48.0",
        pytorch_version="2.3.0",
        py_version="py311",
        role=role,
        instance_count=1,
        instance_type="ml.g4dn.xlarge",  # AWS publishes this image for GPUs only; where there is none, CPUs train
        hyperparameters={"epochs": 4, "learning_rate": 2e-3},
        enable_network_isolation=True,
    )
    estimator.fit(inputs)

    predictor = estimator.deploy(1, "ml.m5.large")
    answers = predictor.predict({"inputs": test["review"].str[:1000].tolist(), "parameters": {"truncation": True}})
    right = sum((answer["label"] == "GOOD") == bool(good) for answer, good in zip(answers, test["good"]))
    print(f"right about {right} of {len(test)} reviews")
    predictor.delete_endpoint()


if __name__ == "__main__":
    main()
