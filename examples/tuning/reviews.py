"""Are these reviews of films good or bad? A script of one's own, tuned by the SageMaker Python SDK 2.

The best model answers in a batch transform. Run it after `eval "$(clary env)"`.
"""

import os
import tempfile

import pandas as pd
import sagemaker
from sagemaker.sklearn import SKLearn
from sagemaker.tuner import CategoricalParameter, ContinuousParameter, HyperparameterTuner, IntegerParameter

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, os.pardir, "film_reviews", "imdb_reviews.csv")
PREFIX = "tuning-reviews"


def upload(session, table, name, **layout):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        table.to_csv(path, index=False, **layout)
        return session.upload_data(path, key_prefix=f"{PREFIX}/{name.split('.')[0]}")


def main():
    session, role = sagemaker.Session(), sagemaker.get_execution_role()
    reviews = pd.read_csv(DATA).sample(frac=1, random_state=1)
    train, validation, test = reviews.iloc[:400], reviews.iloc[400:480], reviews.iloc[480:]

    script = SKLearn(
        "words.py",
        source_dir=os.path.join(HERE, "scripts"),
        framework_version="1.2-1",
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{session.default_bucket()}/{PREFIX}/output",
        sagemaker_session=session,
    )
    tuner = HyperparameterTuner(
        script,
        "accuracy",
        {
            "regularisation": ContinuousParameter(0.01, 100, scaling_type="Logarithmic"),
            "words": IntegerParameter(500, 20000, scaling_type="Logarithmic"),
            "pairs": CategoricalParameter(["yes", "no"]),
        },
        metric_definitions=[{"Name": "accuracy", "Regex": r"accuracy=([0-9.]+)"}],
        max_jobs=8,
        max_parallel_jobs=2,
        random_seed=3,
        base_tuning_job_name="reviews",
    )
    channels = {
        "train": upload(session, train, "train.csv"),
        "validation": upload(session, validation, "validation.csv"),
    }
    tuner.fit(channels)
    table = tuner.analytics().dataframe().sort_values("FinalObjectiveValue", ascending=False)
    print(table[["pairs", "words", "regularisation", "FinalObjectiveValue"]].to_string(index=False))

    best = tuner.best_estimator()
    transformer = best.transformer(1, "ml.m5.large", accept="text/csv")
    asked = upload(session, test[["review"]], "test.csv", header=False, quoting=1)
    transformer.transform(asked, content_type="text/csv", logs=False)
    place = transformer.output_path.split("/", 3)[3]
    answers = session.read_s3_file(session.default_bucket(), f"{place}/test.csv.out").split()
    right = sum(said == told for said, told in zip(answers, test["sentiment"]))
    print(f"accuracy of the batch on {len(test)} reviews: {right / len(test):.3f}")


if __name__ == "__main__":
    main()
