"""The Flask application: GET /ping, POST /invocations with rows of CSV.

Who accepts JSON is told how likely each patient is to die; all others read 0 or 1, one line each.
"""

import io
from pathlib import Path

import flask
import joblib
import pandas as pd

PATH = Path("/opt/ml/model/model.joblib")
loaded = {}


def model():
    """Once in each worker, when it is first needed: a worker that has forked before shares nothing that locks."""
    if "model" not in loaded:
        loaded["model"] = joblib.load(PATH)
    return loaded["model"]


app = flask.Flask(__name__)


@app.route("/ping", methods=["GET"])
def ping():
    try:
        model()
    except OSError as error:
        return flask.Response(f"{error}\n", status=404)
    return flask.Response("\n", mimetype="application/json")


@app.route("/invocations", methods=["POST"])
def invocations():
    if flask.request.content_type != "text/csv":
        return flask.Response("This predictor only supports CSV data", status=415, mimetype="text/plain")
    rows = pd.read_csv(io.BytesIO(flask.request.data), header=None)
    answers = model().predict(rows.values)
    if flask.request.accept_mimetypes.best_match(["text/csv", "application/json"]) == "application/json":
        risks = model().predict_proba(rows.values)[:, 1]
        return flask.jsonify([{"died": int(a), "probability": round(float(p), 4)} for a, p in zip(answers, risks)])
    return flask.Response("".join(f"{answer}\n" for answer in answers), mimetype="text/csv")
