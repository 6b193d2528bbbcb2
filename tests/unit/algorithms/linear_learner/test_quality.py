"""Linear Learner does as well as scikit-learn's estimators, on data that scikit-learn brings, and as fast.

Each job learns from 60 % of the rows, chooses on 15 % and is measured on 25 %; scikit-learn's estimators learn from the
same 60 %. The tolerances: errors at most a tenth higher, accuracies at most two points lower.
"""

import pytest

WORSE = 1.1
LOWER = 0.02


@pytest.fixture
def learned(job, sets):
    """Learn one of the sets; the result and what scikit-learn reaches."""
    folder, known = sets

    def run(name, channels=("train", "validation", "test"), **hyperparameters):
        for channel in channels:
            job.channel(channel, folder / name / f"{channel}.csv")
        return job.trained(**hyperparameters), known[name]

    return run


@pytest.mark.parametrize("name", ["houses", "diabetes"])
def test_regression_errs_as_little_as_least_squares(learned, name):
    result, known = learned(name, predictor_type="regressor", mini_batch_size=50)
    assert result.scores["test mse"] < WORSE * known["mse"]


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_every_optimizer_gets_there(learned, optimizer):
    result, known = learned("houses", predictor_type="regressor", mini_batch_size=50, optimizer=optimizer, epochs=40)
    assert result.scores["test mse"] < WORSE * known["mse"]


@pytest.mark.parametrize("name", ["houses", "diabetes"])
@pytest.mark.parametrize("loss", ["huber_loss", "absolute_loss", "eps_insensitive_absolute_loss"])
def test_robust_losses_have_the_absolute_error_of_a_huber_regressor(learned, name, loss):
    result, known = learned(name, predictor_type="regressor", mini_batch_size=50, loss=loss)
    assert result.scores["test absolute_loss"] < WORSE * known["mae"]


@pytest.mark.parametrize("name", ["houses", "diabetes"])
def test_a_quantile_is_as_near_as_that_of_a_quantile_regressor(learned, name):
    result, known = learned(name, predictor_type="regressor", mini_batch_size=50, loss="quantile_loss", quantile=0.9)
    assert result.scores["test quantile_loss_objective"] < WORSE * known["pinball"]


def test_binary_classification_is_as_right_as_logistic_regression(learned):
    result, known = learned("cancer", predictor_type="binary_classifier", mini_batch_size=100)
    assert result.scores["test binary_classification_accuracy"] >= known["accuracy"] - LOWER
    assert result.scores["test roc_auc_score"] >= known["auc"] - 0.005


def test_the_hinge_loss_is_as_right_as_a_support_vector_classifier(learned):
    result, known = learned("cancer", predictor_type="binary_classifier", mini_batch_size=100, loss="hinge_loss")
    assert result.scores["test binary_classification_accuracy"] >= known["hinge"] - LOWER


@pytest.mark.parametrize(("name", "classes", "batch"), [("digits", 10, 200), ("iris", 3, 20)])
def test_several_classes_are_told_apart_as_by_multinomial_regression(learned, name, classes, batch):
    result, known = learned(name, predictor_type="multiclass_classifier", num_classes=classes, mini_batch_size=batch)
    assert result.scores["test multiclass_accuracy"] >= known["accuracy"] - LOWER


def test_many_rows_are_learned_as_well_as_by_logistic_regression(learned):
    result, known = learned("large", predictor_type="binary_classifier")
    assert result.scores["test binary_classification_accuracy"] >= known["accuracy"] - 0.005
