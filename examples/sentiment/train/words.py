"""Reviews as numbers: words that are known, in their order."""

import collections
import re

PADDING, UNKNOWN = 0, 1
STOP = frozenset(("the", "a", "an", "and", "of", "to", "is", "it", "in", "i", "this", "that", "was", "as", "br", "be"))


def words(review):
    """Lower-case words without mark-up."""
    found = re.findall(r"[a-z']+", re.sub(r"<[^>]+>", " ", review.lower()))
    return [word for word in found if word not in STOP]


def vocabulary(reviews, size):
    """The words that stand in the most reviews → their numbers."""
    counted = collections.Counter(word for review in reviews for word in sorted(set(words(review))))
    return {word: number for number, (word, _) in enumerate(counted.most_common(size - 2), 2)}


def numbers(review, known, length):
    """A review as `length` numbers, and how many of them are its words."""
    found = [known.get(word, UNKNOWN) for word in words(review)][:length]
    return found + [PADDING] * (length - len(found)), max(1, len(found))
