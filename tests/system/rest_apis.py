"""REST APIs for tests: put together in a line, asked like any web page would."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
    """One request; underscores in names of headers are hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, named, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


class Builder:
    """One API in the making."""

    def __init__(self, client: Any, url: str, name: str = "test", **options: Any) -> None:
        self.client = client
        self._url = url
        made = client.create_rest_api(name=name, **options)
        self.id: str = made["id"]
        self.resources = {"/": made["rootResourceId"]}

    def resource(self, path: str) -> str:
        """The id of a resource, made with those above it."""
        if path not in self.resources:
            above, _, part = path.rpartition("/")
            parent = self.resource(above or "/")
            self.resources[path] = self.client.create_resource(restApiId=self.id, parentId=parent, pathPart=part)["id"]
        return self.resources[path]

    def method(self, path: str, http_method: str = "GET", **options: Any) -> dict[str, str]:
        """A method without authorization, unless the options say more; what its integration is named by."""
        place = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": http_method}
        self.client.put_method(**place, **{"authorizationType": "NONE", **options})
        return place

    def mock(self, path: str, http_method: str = "GET", answer: str = "{}", **options: Any) -> dict[str, str]:
        """A method that answers by itself."""
        place = self.method(path, http_method, **options)
        self.client.put_integration(**place, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
        self.client.put_method_response(**place, statusCode="200")
        self.client.put_integration_response(**place, statusCode="200", responseTemplates={"application/json": answer})
        return place

    def deploy(self, stage: str = "dev", **options: Any) -> str:
        """Deploy it as it is; the stage's address."""
        self.client.create_deployment(restApiId=self.id, stageName=stage, **options)
        return f"{self._url}/restapis/{self.id}/{stage}/_user_request_"


class _Backend(BaseHTTPRequestHandler):
    """Answers what it was asked."""

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        said = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(length).decode(),
        }
        body = json.dumps(said).encode()
        self.send_response(404 if self.path.startswith("/missing") else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Backend", "yes")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — the base class's name
        pass


@contextmanager
def answering() -> Iterator[int]:
    """The port of an HTTP server on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Backend)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
