"""REST APIs for tests: put together in a line, asked like any web page would."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
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
        with urllib.request.urlopen(request, timeout=30) as response:
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
