"""The Pythons of the servers: packages of each its own, and one Python for all, which Clary's replicas run on too."""

from __future__ import annotations

from pathlib import Path

from clary.images.pythons import Pythons
from clary.images.releases import choose
from clary.images.scikit_learn import SCIKIT_LEARN
from tests.environments import built

LOCKS = Path(__file__).parent / "environments"
VERSION, PYTHON = "1.4.2", "3.10"
"""Of scikit-learn, and of AWS's image with it: the newest that the SDKs name."""


def python_of(name: str) -> Path:
    """The interpreter of one server's environment, built on first use. Raises LookupError without a Python for it."""
    pythons = Pythons()
    choice = choose(SCIKIT_LEARN, VERSION, PYTHON, lambda version: pythons.find(version) is not None)
    base = pythons.find(choice.python) if choice and choice.exact else None
    if base is None:
        raise LookupError(f"scikit-learn {VERSION} needs a Python from 3.9 to 3.12, and this machine has none")
    return built(LOCKS / f"{name}.txt", base)
