"""Who survives heart failure: three classifiers vote, a grid search finds their settings. An ordinary SageMaker script.

Data: Chicco & Jurman 2020, UCI 519, CC BY 4.0. SageMaker runs `python train.py --cv 3 …` and later imports `model_fn`.
"""

import argparse
import os

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

TARGET = "DEATH_EVENT"


def read(folder, name):
    table = pd.read_csv(os.path.join(folder, name))
    return table.drop(columns=TARGET), table[TARGET].astype(int)


def search(cv, trees):
    voting = VotingClassifier(
        [
            ("svm", SVC(probability=True, random_state=0)),
            ("logistic", LogisticRegression(max_iter=1000)),
            ("forest", RandomForestClassifier(n_estimators=trees, random_state=0)),
        ],
        voting="soft",
    )
    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), voting)
    grid = {"votingclassifier__svm__C": [0.5, 2.0], "votingclassifier__forest__max_depth": [4, None]}
    return GridSearchCV(model, grid, cv=cv, scoring="roc_auc", verbose=2)


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cv", type=int, default=3)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    parser.add_argument("--test", default=os.environ["SM_CHANNEL_TEST"])
    arguments = parser.parse_args()

    features, target = read(arguments.train, "train.csv")
    print("training on", len(features), "patients with", features.shape[1], "features", flush=True)
    found = search(arguments.cv, arguments.trees).fit(features.values, target)
    print("best settings:", found.best_params_, flush=True)

    features, target = read(arguments.test, "test.csv")
    votes = found.predict(features.values)
    print("test-accuracy=%.4f" % accuracy_score(target, votes))
    print("test-f1=%.4f" % f1_score(target, votes))
    print("test-auc=%.4f" % roc_auc_score(target, found.predict_proba(features.values)[:, 1]))
    joblib.dump(found.best_estimator_, os.path.join(arguments.model_dir, "model.joblib"))
