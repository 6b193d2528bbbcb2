"""A container's life in an engine that does not answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from clary.compute.launch import EnginePart
from clary.launcher import engine_life
from clary.launcher.engine_life import Life, Refused
from clary.launcher.shares import NONE


def test_an_engine_that_does_not_answer_is_not_asked_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_life, "_PATIENCE", 0.3)
    part = EnginePart(
        socket=str(tmp_path / "nothing"),
        image="localhost/mine",
        entrypoint=[],
        shared_memory_bytes=0,
        network=None,
        feed=None,
        runtime_api=False,
    )
    life = Life(str(tmp_path / "one"), {"api": True, "port": None, "hostname": "algo-1"}, part, NONE, {})
    with pytest.raises(Refused, match=r"does not answer: .*Start Docker or Podman") as refused:
        life.begin(lambda: True)
    assert refused.value.end.code == 126
    assert life.clear(), "it has nothing of a container for which it was never asked"
