"""`serve` of the XGBoost images: a user's script where one is named, else the algorithm's own answers.

`python -m clary.algorithms.xgboost.serve 1.7-1`
"""

from __future__ import annotations

import os
import sys

import xgboost

from clary.algorithms.xgboost import bodies
from clary.algorithms.xgboost import serving as algorithm
from clary.algorithms.xgboost.names import hosts_scripts
from clary.formats import content_types
from clary.toolkit import arrays
from clary.toolkit import serve as script_mode
from clary.toolkit.inference import AsItIs, Data, Model, ScriptsLoad
from clary.toolkit.server import hosting
from clary.toolkit.server.message import Refused


class ScriptDefaults(ScriptsLoad, AsItIs):
    """The framework's defaults for scripts: a DMatrix in, `predict`, arrays out."""

    def input_fn(self, data: Data, content_type: str) -> Data:
        """CSV, LIBSVM or RecordIO-protobuf as a DMatrix."""
        if content_types.kind_of(content_type) == content_types.JSON:
            raise Refused(415, f"Content type {content_type} is not supported by this framework.")
        body = data.encode() if isinstance(data, str) else data
        return bodies.read(body, content_type).body().matrix

    def predict_fn(self, data: Data, model: Model) -> Data:
        """`model.predict`."""
        return (
            model.predict(data, validate_features=False) if isinstance(model, xgboost.Booster) else model.predict(data)
        )

    def output_fn(self, prediction: Data, accept: str) -> Data:
        """CSV, JSON or NPY."""
        return arrays.encode(prediction, accept), accept


def main() -> int:
    """The exit code."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    image = sys.argv[1] if len(sys.argv) > 1 else ""
    if os.environ.get("SAGEMAKER_PROGRAM") and hosts_scripts(image):
        return script_mode.host(ScriptDefaults())
    script_mode.configure_logs(os.environ)
    return hosting.host(lambda layout: algorithm.XGBoostService(layout, os.environ, image), os.environ)


if __name__ == "__main__":
    sys.exit(main())
