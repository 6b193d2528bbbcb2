"""AWS's own algorithms without labels by unmodified clients: the programs of their pages, SDK 1, boto3 alone."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, SCRIPTS, RunScript
from tests.clients.test_docs import blocks

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def of_page(page: str, folder: Path) -> Path:
    """The program of a page, beside the data that it reads."""
    [program] = blocks(page, "python")
    (folder / "program.py").write_text(program)
    shutil.copy(ROOT / "src" / "clary" / "demo" / "heart_failure.csv", folder)
    return folder / "program.py"


def test_patients_in_groups(sdk2: RunScript, tmp_path: Path) -> None:
    output = sdk2(of_page("docs/algorithms/kmeans.md", tmp_path))
    metrics = dict(re.findall(r"^(\S+:\S+) (\d+\.\d+)$", output, re.MULTILINE))
    assert {"train:msd", "test:msd", "test:ssd", "train:progress", "train:throughput"} == set(metrics)
    assert 1 < float(metrics["train:msd"]) < 5  # five features of variance one
    shares = [int(share) for share in re.findall(r"group \d: \d+ patients, (\d+)% died", output)]
    assert len(shares) == 4
    assert max(shares) > 2 * min(shares)


def test_patients_in_two_dimensions(sdk2: RunScript, tmp_path: Path) -> None:
    output = sdk2(of_page("docs/algorithms/pca.md", tmp_path))
    assert len(set(re.findall(r"died: [01], at ([+-]\d\.\d\d), [+-]\d\.\d\d", output))) > 5


def test_estimators_of_sdk_1(sdk1: RunScript) -> None:
    output = sdk1(SCRIPTS / "first_party_sdk1.py")
    assert "records in, records out" in output
    assert "'test:ssd'" in output


def test_batch_transforms_by_boto3_alone(sdk2: RunScript) -> None:
    assert "transformed 150 150" in sdk2(SCRIPTS / "first_party_batch.py")
