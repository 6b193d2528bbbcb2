"""Who survives heart failure, in script mode: the model of examples/modeling, without a server of its own."""

import argparse
import os

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

TARGET = "DEATH_EVENT"


def model(trees):
    voting = VotingClassifier(
        [
            ("svm", SVC(probability=True, random_state=0)),
            ("logistic", LogisticRegression(max_iter=1000)),
            ("forest", RandomForestClassifier(n_estimators=trees, random_state=0)),
        ],
        voting="soft",
    )
    return make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), voting)


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--trees", type=int, default=100)
    arguments = parser.parse_args()
    table = pd.read_csv(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "patients.csv"))
    features, target = table.drop(columns=TARGET).values, table[TARGET].astype(int)
    fitted = model(arguments.trees).fit(features, target)
    print("train-accuracy=%.4f" % fitted.score(features, target))
    joblib.dump(fitted, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
