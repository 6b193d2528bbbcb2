"""The container's programs are run as a container would."""

from tests.unit.toolkit.containers import opt, serve, xgboost_python

__all__ = ["opt", "serve", "xgboost_python"]
