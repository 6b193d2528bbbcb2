"""What gunicorn is told to run."""

from predictor import app

__all__ = ["app"]
