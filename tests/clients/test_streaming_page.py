"""The programs of docs/streaming.md: a script that yields, read by the SageMaker Python SDK 2 and by boto3."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.clients.conftest import RunScript
from tests.clients.test_docs import blocks

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_programs_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    script, program = blocks("docs/streaming.md", "python")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "inference.py").write_text(script)
    (tmp_path / "program.py").write_text(program)
    said = sdk2(tmp_path / "program.py")
    assert re.search(r"the\n(cat|dog)\nsees\nthe\napplication/jsonlines ", said)
    assert """application/jsonlines [b'{"word": "cat"}\\n', b'{"word": "sees"}\\n', b'{"word": "the"}\\n']""" in said
    assert """b'{"word": "dog"}\\n{"word": "sees"}\\n'""" in said
