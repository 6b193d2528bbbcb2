"""AWS's own runtime client, from the package index, as the entry point of a function's image; asked by boto3."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from clary.compute.docker_api import Engine
from clary.compute.docker_images import ImageStore
from tests import engine as engines
from tests.environments import python_of
from tests.running import RunningClary
from tests.system.functions import Functions

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

APP = """\
import logging

def handler(event, context):
    logging.getLogger().warning("asked for %s", event)
    if event == "raise":
        raise ValueError("this went wrong")
    about = [context.function_name, context.memory_limit_in_mb, context.client_context.custom["who"]]
    return {"event": event, "about": about, "left": context.get_remaining_time_in_millis()}
"""


def _archive() -> bytes:
    """The installed package, what its compiled part needs, and the function, as a tar."""
    packages = next(python_of("lambdaric").parent.parent.glob("lib/python*/site-packages"))
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.add(packages, "function")
        for library in engines.libraries(list(packages.rglob("*.so"))):
            archive.add(Path(library).resolve(), library)
        info = tarfile.TarInfo("function/app.py")
        info.size = len(APP)
        archive.addfile(info, io.BytesIO(APP.encode()))
    return data.getvalue()


@pytest.fixture(scope="module")
def engine(container_engine: Engine) -> ImageStore:
    return ImageStore(container_engine.path)


def test_an_image_with_awslambdaric_is_a_function(
    engine: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = json.dumps(["/usr/bin/python3", "-m", "awslambdaric"])
    changes = [f"ENTRYPOINT {entry}", 'CMD ["app.handler"]', "WORKDIR /function"]
    image = engines.layered(engine, f"clary-test-lambdaric-{os.getpid()}", _archive(), changes)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{engine.path}")
    with RunningClary(tmp_path / "data") as clary:
        functions = Functions(clary)
        functions.client.create_function(
            FunctionName="own",
            PackageType="Image",
            Code={"ImageUri": image},
            Role=functions.role,
            Timeout=20,
            MemorySize=256,
        )
        context = "eyJjdXN0b20iOiB7IndobyI6ICJtZSJ9fQ=="  # {"custom": {"who": "me"}}
        for number in range(2):
            said = functions.ask("own", {"number": number}, ClientContext=context)
            assert said["event"] == {"number": number}
            assert said["about"] == ["own", "256", "me"]
            assert 0 < said["left"] <= 20_000
        answer = functions.invoke("own", "raise", LogType="Tail")
        assert answer["FunctionError"] == "Unhandled"
        assert answer["said"]["errorType"] == "ValueError"
        assert answer["said"]["stackTrace"]
        functions.client.update_function_configuration(FunctionName="own", ImageConfig={"Command": ["none.handler"]})
        answer = functions.invoke("own", {})
        assert answer["said"]["errorType"] == "Runtime.ImportModuleError"
    engine.remove_image(image)
