"""What the images of AWS's own algorithms have in common: one tag, and an environment for `clary.algorithms.base`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clary.images.base import Image, MetricDefinition, Program
from clary.images.releases import Choice, Framework, Release
from clary.images.repository import ENV, Repository, Tag

_NUMPY = (
    ("1.24.4", ("3.8", "3.9", "3.10", "3.11"), "scipy<1.11"),
    ("1.26.4", ("3.9", "3.10", "3.11", "3.12"), "scipy<1.14"),
    ("2.2.6", ("3.10", "3.11", "3.12", "3.13"), "scipy<1.17"),
    ("2.3.5", ("3.11", "3.12", "3.13", "3.14"), "scipy>=1.16"),
)
"""Version of numpy, the Pythons it is built for, and the scipy that goes with it."""
_PRELOAD = ("numpy", "scipy.sparse", "httptools", "clary.algorithms.base.train", "clary.algorithms.base.serve")

ONE_THREAD: Mapping[str, str] = {"OPENBLAS_NUM_THREADS": "1"}
"""For matrices so small that more bring nothing, and spin: on a busy machine a job took up to twenty times as long."""


def first_party(
    name: str,
    algorithm: str,
    metrics: Sequence[MetricDefinition],
    *,
    packages: Sequence[str] = (),
    preload: Sequence[str] = (),
    env: Mapping[str, str] = ONE_THREAD,
) -> Repository:
    """The repository `name`, whose program is `algorithm` (`package.module:NAME`), with more packages than numpy and
    scipy where it needs them."""

    def image(uri: str, _tag: str, choice: Choice) -> Image:
        return Image(
            uri=uri,
            environment=choice.environment(),
            train=Program("clary.algorithms.base.train", (algorithm,)),
            serve=Program("clary.algorithms.base.serve", (algorithm,)),
            metric_definitions=tuple(metrics),
            built_in=True,
            env={**ENV, **env},
        )

    framework = Framework(
        name="algorithms",  # those that need nothing more share an environment
        distribution="numpy",
        releases=tuple(Release(version, pythons, (scipy, *packages)) for version, pythons, scipy in _NUMPY),
        preload=(*_PRELOAD, *preload, algorithm.partition(":")[0]),
    )
    return Repository(
        name=name, framework=framework, tags={"1": Tag("2.2.6", "3.11")}, image=image, aliases={"latest": "1"}
    )
