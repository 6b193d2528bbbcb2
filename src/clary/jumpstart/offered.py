"""The models that are offered."""

from __future__ import annotations

from dataclasses import dataclass

VERSIONS = ("1.3.0", "2.0.0")
"""Of each: `1.*`, `2.*` and `*` find one. They differ in nothing; AWS's own numbers are not listed anywhere."""


@dataclass(frozen=True)
class Model:
    """One model of JumpStart's."""

    library: str
    title: str
    task: str
    """`classification` or `regression`."""

    @property
    def id(self) -> str:
        """`lightgbm-classification-model`."""
        return f"{self.library}-{self.task}-model"


MODELS = tuple(
    Model(library, title, task)
    for library, title in (("catboost", "CatBoost"), ("lightgbm", "LightGBM"))
    for task in ("classification", "regression")
)
