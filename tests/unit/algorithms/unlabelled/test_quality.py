"""On real data, both are at least as good as scikit-learn, by its own measures."""

import pytest

from tests.unit.algorithms.unlabelled.conftest import ROWS, model

SETS = ("digits", "wine", "cancer")


def given(score, **hyperparameters):
    return {"feature_dim": score["features"], **hyperparameters}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("start", ["random", "kmeans++"])
def test_clusters_are_as_tight_as_those_of_scikit_learn(kmeans, sets, name, start):
    """Of ten of its runs the median: all runs end somewhere else, and a thousandth is no difference between them."""
    folder, scores = sets
    kmeans.channel("train", folder / f"{name}.csv", ROWS)
    result = kmeans.trained(**given(scores[name], k=10, init_method=start))
    assert result.scores["train msd"] <= scores[name]["msd"] * 1.001


@pytest.mark.parametrize("name", SETS)
def test_components_explain_what_those_of_scikit_learn_do(pca, sets, name):
    folder, scores = sets
    pca.channel("train", folder / f"{name}.csv", ROWS)
    pca.trained(**given(scores[name], num_components=10, mini_batch_size=100))
    (_, found) = model(pca)["s"]
    assert found == pytest.approx(scores[name]["s"][::-1], rel=1e-4, abs=1e-3 * max(found))
    assert sum(s * s for s in found) / scores[name]["variance"] >= scores[name]["explained"] - 1e-6


def test_randomized_components_are_as_good(pca, sets):
    """64 features are more than eight times three: they are looked for at random."""
    folder, scores = sets
    pca.channel("train", folder / "digits.csv", ROWS)
    mode = {"algorithm_mode": "randomized", "extra_components": 4}
    pca.trained(**given(scores["digits"], num_components=3, mini_batch_size=100, **mode))
    (_, found) = model(pca)["s"]
    assert found == pytest.approx(scores["digits"]["s"][2::-1], rel=1e-3)
