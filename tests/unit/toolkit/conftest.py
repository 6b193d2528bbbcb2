"""The container's programs are run as a container would."""

from tests.unit.toolkit.containers import opt, serve, sklearn_python

__all__ = ["opt", "serve", "sklearn_python"]
