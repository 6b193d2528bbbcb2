"""The reviews of films, as both programs of this folder read them."""

import csv
import json
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "train"))

from words import numbers, vocabulary  # noqa: E402

REVIEWS = os.path.join(HERE, "..", "film_reviews", "imdb_reviews.csv")
TRAINED, SIZE, LENGTH = 480, 3000, 300
NEW = [
    "A wonderful, touching story, beautifully played: one of the best films I have seen, and I loved every minute.",
    "What a waste of time. The plot is stupid, the acting awful, and the end the worst of all. Boring and bad.",
]


def read():
    """Reviews and whether they are good (1) or bad (0), shuffled: what is trained on, and the others."""
    with open(REVIEWS, encoding="utf-8", newline="") as file:
        rows = [(row["review"], int(row["sentiment"] == "positive")) for row in csv.DictReader(file)]
    random.Random(1).shuffle(rows)
    return rows[:TRAINED], rows[TRAINED:]


def write(rows, folder):
    """`train.csv` and `words.json`, for the training channel."""
    known = vocabulary([review for review, _ in rows], SIZE)
    with open(os.path.join(folder, "words.json"), "w") as file:
        json.dump(known, file)
    with open(os.path.join(folder, "train.csv"), "w", newline="") as file:
        for review, label in rows:
            found, length = numbers(review, known, LENGTH)
            csv.writer(file).writerow([label, length, *found])


def judge(predict, rows):
    """Print how many reviews are told right, and what is said of two new ones."""
    right = sum(int(predict(review)) == label for review, label in rows)
    print(f"accuracy on {len(rows)} reviews: {right / len(rows):.3f}")
    for review in NEW:
        print(f"{'good' if int(predict(review)) else 'bad':<5} {review[:60]}…")
