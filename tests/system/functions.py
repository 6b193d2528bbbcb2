"""What tests ask of a started Clary's Lambda: functions of a few lines, made with boto3."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import Any

from tests.running import RunningClary, wait_until

SECONDS = 20
"""Of a function that is to answer: those that AWS gives are few on a machine with much else to do."""


def zipped(files: dict[str, str]) -> bytes:
    """A zip of text files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()


def code(text: str) -> dict[str, bytes]:
    """`Code` of a function of one file."""
    return {"ZipFile": zipped({"app.py": text})}


@dataclass
class Functions:
    """Functions of one Clary."""

    clary: RunningClary
    client: Any = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.clary.client("lambda")
        self.role = self.clary.role_arn

    def create(self, name: str, text: str, **request: Any) -> Any:
        """A function whose handler is `handler` in `app.py`."""
        defaults: dict[str, Any] = {
            "FunctionName": name,
            "Runtime": "python3.11",
            "Role": self.role,
            "Handler": "app.handler",
            "Code": code(text),
            "Timeout": SECONDS,
        }
        return self.client.create_function(**(defaults | request))

    def invoke(self, name: str, event: Any = None, **request: Any) -> Any:
        """Invoke's answer; its payload as JSON stands under `said`."""
        answer = self.client.invoke(FunctionName=name, Payload=json.dumps(event).encode(), **request)
        payload = answer["Payload"].read()
        return {**answer, "said": json.loads(payload) if payload else None}

    def ask(self, name: str, event: Any = None, **request: Any) -> Any:
        """What the function returns."""
        answer = self.invoke(name, event, **request)
        assert "FunctionError" not in answer, answer
        return answer["said"]

    def in_time(self, name: str, event: Any = None) -> Any:
        """What a function returns whose time is so short that a busy machine has to be given several."""

        def well() -> Any:
            answer = self.invoke(name, event)
            assert answer.get("FunctionError") is None or answer["said"]["errorType"] == "Sandbox.Timedout", answer
            return None if "FunctionError" in answer else [answer["said"]]

        return wait_until(well, 120, f"{name} answers in time")[0]
