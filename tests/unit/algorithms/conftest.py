"""The container's programs are run as a container would."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.algorithms.jobs import end_warm
from tests.unit.algorithms.predictions import Plain
from tests.unit.toolkit.containers import opt, serve, xgboost_python

__all__ = ["opt", "serve", "xgboost_python"]


@pytest.fixture(scope="session", autouse=True)
def _ended() -> Iterator[None]:
    yield
    end_warm()


@pytest.fixture(scope="module")
def plainly() -> Iterator[Plain]:
    """What plain XGBoost of an environment predicts."""
    plain = Plain()
    yield plain
    plain.close()
