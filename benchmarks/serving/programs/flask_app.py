"""What gunicorn is told to run: POST /MODEL with a line of CSV."""

from __future__ import annotations

import os
from pathlib import Path

import flask

from benchmarks.serving.programs.predicting import load, row


def create() -> flask.Flask:
    """In each worker: a process that was forked shares nothing that locks."""
    models = load(Path(os.environ["MODELS"]))
    app = flask.Flask(__name__)

    @app.route("/<name>", methods=["POST"])
    def predict(name: str) -> flask.Response:
        return flask.Response(f"{float(models[name](row(flask.request.get_data()))[0])!r}\n", mimetype="text/csv")

    return app
