"""Ray Serve with batching: `python ray_app.py PORT MODELS FOLDER`; POST /MODEL with a line of CSV."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import numpy as np
import ray
from ray import serve
from ray.serve.schema import LoggingConfig
from starlette.requests import Request

from benchmarks.serving.programs.predicting import load, row

STORE_BYTES = 100 * 2**20
"""Of Ray's shared objects, which no request here becomes."""


@serve.deployment(
    max_ongoing_requests=1024,
    ray_actor_options={"num_cpus": 0},
    logging_config=LoggingConfig(enable_access_log=False),
)
class Model:
    """One of the three."""

    def __init__(self, folder: str, name: str) -> None:
        self._predict = load(Path(folder))[name]

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0.002)
    async def risks(self, bodies: list[bytes]) -> list[float]:
        return self._predict(np.concatenate([row(body) for body in bodies])).tolist()

    async def __call__(self, request: Request) -> float:
        return await self.risks(await request.body())


def main() -> None:
    port, models, folder = sys.argv[1:]
    ray.init(include_dashboard=False, object_store_memory=STORE_BYTES, _temp_dir=folder)
    serve.start(http_options={"host": "127.0.0.1", "port": int(port)})
    for name in ("voting", "logistic", "xgboost"):
        serve.run(Model.bind(models, name), name=name, route_prefix=f"/{name}")
    signal.pause()


if __name__ == "__main__":
    main()
