"""Who survives heart failure, in script mode: the model of examples/own_container, without a server of its own."""

import argparse
import os

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

TARGET = "DEATH_EVENT"
GRID = {
    "votingclassifier__svm__C": (0.5, 2.0),
    "votingclassifier__logistic__C": (0.1, 1.0),
    "votingclassifier__forest__max_depth": (4, None),
}


def model(trees):
    """Three classifiers vote with their probabilities; a grid search says how each is set."""
    voting = VotingClassifier(
        [
            ("svm", SVC(probability=True, random_state=0)),
            ("logistic", LogisticRegression(max_iter=1000)),
            ("forest", RandomForestClassifier(n_estimators=trees, random_state=0)),
        ],
        voting="soft",
    )
    pipeline = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), voting)
    return GridSearchCV(pipeline, GRID, scoring="roc_auc", cv=3)


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--trees", type=int, default=100)
    arguments = parser.parse_args()
    table = pd.read_csv(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "patients.csv"))
    features, target = table.drop(columns=TARGET).values, table[TARGET].astype(int)
    fitted = model(arguments.trees).fit(features, target)
    print("best of the grid: %s, validation-auc=%.4f" % (fitted.best_params_, fitted.best_score_))
    print("train-accuracy=%.4f" % fitted.best_estimator_.score(features, target))
    joblib.dump(fitted.best_estimator_, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
