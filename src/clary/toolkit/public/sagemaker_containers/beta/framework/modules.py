"""`framework.modules`: scripts import the name; what is here is what needs no container of its own."""

from __future__ import annotations

import importlib
from pathlib import Path

DEFAULT_MODULE_NAME = "default_user_module_name"


def exists(name: str) -> bool:
    """Whether a module can be imported by this name."""
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def has_requirements(path: str) -> bool:
    """Whether a folder has a `requirements.txt`."""
    return (Path(path) / "requirements.txt").exists()
