"""Are these reviews of films good or bad? A bag of words, built-in XGBoost, a batch transform, then an endpoint.

By the SageMaker Python SDK 2. Data: a part of the Large Movie Review Dataset (Maas et al. 2011). Run it after
`eval "$(clary env)"`.
"""

import collections
import os
import re
import tempfile

import pandas as pd
import sagemaker
from sagemaker.deserializers import CSVDeserializer
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer

HERE = os.path.dirname(os.path.abspath(__file__))
PREFIX = "film-reviews"
WORDS = 2000
STOP = frozenset(("the", "a", "an", "and", "of", "to", "is", "it", "in", "i", "this", "that", "was", "as", "br", "be"))
NEW = [
    "A wonderful, touching story, beautifully played: one of the best films I have seen, and I loved every minute.",
    "What a waste of time. The plot is stupid, the acting awful, and the end the worst of all. Boring and bad.",
]


def words(review):
    """Lower-case words without mark-up."""
    found = re.findall(r"[a-z']+", re.sub(r"<[^>]+>", " ", review.lower()))
    return [word for word in found if word not in STOP]


def vocabulary(reviews):
    """The words that stand in the most reviews."""
    counted = collections.Counter(word for review in reviews for word in set(words(review)))
    return [word for word, _ in counted.most_common(WORDS)]


def bag(reviews, known):
    """How often each known word stands in each review."""
    rows = []
    for review in reviews:
        counted = collections.Counter(words(review))
        rows.append([counted[word] for word in known])
    return pd.DataFrame(rows)


def upload(session, table, name):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        table.to_csv(path, header=False, index=False)
        return session.upload_data(path, key_prefix=PREFIX)


def main():
    session, role = sagemaker.Session(), sagemaker.get_execution_role()
    reviews = pd.read_csv(os.path.join(HERE, "imdb_reviews.csv")).sample(frac=1, random_state=1)
    text, good = reviews.iloc[:, 0], (reviews["sentiment"] == "positive").astype(int)
    train, check, test = slice(0, 400), slice(400, 480), slice(480, None)

    known = vocabulary(text[train])
    table = bag(text, known)
    table.insert(0, "good", good.values)  # the built-in algorithms read the target first

    xgboost = sagemaker.estimator.Estimator(
        sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1"),
        role,
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{session.default_bucket()}/{PREFIX}/output",
        sagemaker_session=session,
        hyperparameters={
            "objective": "binary:logistic",
            "max_depth": 5,
            "eta": 0.2,
            "subsample": 0.8,
            "early_stopping_rounds": 20,
            "num_round": 300,
        },
    )
    xgboost.fit(
        {
            "train": TrainingInput(upload(session, table[train], "train.csv"), content_type="text/csv"),
            "validation": TrainingInput(upload(session, table[check], "validation.csv"), content_type="text/csv"),
        },
        logs=False,
    )

    # All the other reviews at once: a batch transform of what the model has not seen.
    transformer = xgboost.transformer(1, "ml.m5.large", strategy="MultiRecord", assemble_with="Line", accept="text/csv")
    asked = upload(session, table[test].drop(columns="good"), "test.csv")
    transformer.transform(asked, content_type="text/csv", split_type="Line", logs=False)
    bucket, _, prefix = transformer.output_path.removeprefix("s3://").partition("/")
    answers = session.read_s3_file(bucket, f"{prefix}/test.csv.out".lstrip("/")).split()
    right = [(float(answer) > 0.5) == bool(said) for answer, said in zip(answers, good[test])]
    print(f"accuracy of the batch on {len(right)} reviews: {sum(right) / len(right):.3f}")

    # One review after the other: an endpoint.
    predictor = xgboost.deploy(1, "ml.m5.large", serializer=CSVSerializer(), deserializer=CSVDeserializer())
    for review, row in zip(NEW, bag(NEW, known).values):
        score = float(predictor.predict(row)[0][0])
        print(f"{'good' if score > 0.5 else 'bad':<5} {score:.2f}  {review[:60]}…")
    predictor.delete_model()
    predictor.delete_endpoint()


if __name__ == "__main__":
    main()
