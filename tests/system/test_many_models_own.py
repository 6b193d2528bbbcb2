"""A container of one's own behind a multi-model endpoint: it keeps AWS's contract, and room for two models."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from clary.compute.docker_api import Engine
from tests import engine as engines
from tests.running import RunningClary
from tests.system.jobs import BUCKET, Jobs, packed

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("engine-images")]

SERVE = """\
#!/usr/bin/env python3
import http.server, json, os, pathlib, signal, sys
assert os.environ["SAGEMAKER_MULTI_MODEL"] == "true"
ROOM = 2
loaded = {}

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, code, document):
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @property
    def name(self):
        return self.path.split("/")[2]

    def do_GET(self):
        if self.path == "/ping":
            self.answer(200, {})
        else:
            self.answer(200 if self.name in loaded else 404, {})

    def do_DELETE(self):
        self.answer(200 if loaded.pop(self.name, None) else 404, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/models":
            self.load(**json.loads(body))
        elif self.name not in loaded:
            self.answer(404, {})
        elif body == b"own 404":
            self.answer(404, {"says": "the model"})
        else:
            target = self.headers["X-Amzn-SageMaker-Target-Model"]
            self.answer(200, [loaded[self.name], target, sorted(loaded.values()), writable()])

    def load(self, model_name, url):
        if model_name in loaded:
            self.answer(409, {})
        elif len(loaded) == ROOM:
            self.answer(507, {})
        else:
            loaded[model_name] = pathlib.Path(url, "text").read_text()
            self.answer(200, {})

    def log_message(self, *_):
        pass

def writable():
    try:
        os.symlink("/etc", "/opt/ml/models/link")
    except OSError:
        return False
    return True

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with engines.engine() as found:
        yield found


@pytest.fixture(scope="module")
def jobs(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"unix://{engine.path}")
        with RunningClary(tmp_path_factory.mktemp("clary")) as clary:
            yield Jobs(clary)
        assert engines.containers(engine, clary.data_dir) == []


def test_a_container_with_room_for_two_serves_three(engine: Engine, jobs: Jobs) -> None:
    image = engines.image(engine, f"clary-test-models-{os.getpid()}", {"/usr/bin/serve": SERVE})
    for name in ("a", "b", "c"):
        jobs.s3.put_object(Bucket=BUCKET, Key=f"many/{name}.tar.gz", Body=packed({"text": name}))
    container = {"Image": image, "Mode": "MultiModel", "ModelDataUrl": f"s3://{BUCKET}/many/"}
    endpoint = jobs.deploy_container("many-own", container)

    def says(name: str, body: bytes = b"x") -> list[object]:
        asked = {"EndpointName": endpoint, "TargetModel": f"{name}.tar.gz", "Body": body}
        answer: list[object] = json.loads(jobs.runtime.invoke_endpoint(**asked)["Body"].read())
        return answer

    assert [says(name) for name in ("a", "b", "a", "c")] == [
        ["a", "a.tar.gz", ["a"], False],
        ["b", "b.tar.gz", ["a", "b"], False],
        ["a", "a.tar.gz", ["a", "b"], False],
        ["c", "c.tar.gz", ["a", "c"], False],
    ]
    assert says("b")[2] == ["b", "c"], "it was loaded again"
    with pytest.raises(ClientError, match="the model") as raised:
        says("b", b"own 404")
    assert raised.value.response["OriginalStatusCode"] == 404
