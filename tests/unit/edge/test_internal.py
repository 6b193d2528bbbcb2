"""Clary's own paths, asked from outside and from within a container."""

import json

import pytest

from clary.edge.internal import CREDENTIALS, ENTRANCES, HEALTH, RESET, STATUS, Internal
from clary.identity.sealing import Sealer
from clary.settings import Settings
from clary.wire.http import HttpRequest


class Door:
    """Control, which answers everything and remembers the questions."""

    def __init__(self):
        self.asked = []

    async def ask(self, question, params):
        self.asked.append(question)
        return {"known": question}


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def ask(tmp_path, door):
    handlers = Internal(Settings(data_dir=tmp_path, allow_reset=True), door, Sealer.of(tmp_path)).handlers()

    async def asked(path, *, inside):
        answer = await handlers[path](HttpRequest("POST", path, inside=inside))
        return answer.status, json.loads(answer.body)

    return asked


@pytest.mark.parametrize("path", [STATUS, ENTRANCES, RESET])
async def test_a_container_learns_nothing_of_others_and_ends_nothing(ask, door, path):
    assert await ask(path, inside=True) == (403, {"message": "Containers may not ask for this."})
    assert door.asked == []
    assert (await ask(path, inside=False))[0] == 200


async def test_a_container_may_ask_for_health_and_for_its_credentials(ask):
    assert (await ask(HEALTH, inside=True))[0] == 200
    assert (await ask(CREDENTIALS, inside=True))[1]["message"] == "The authorization token is not valid."
