"""pandas and s3fs, unmodified, in a shell with `clary env`."""

from __future__ import annotations

import pytest

from tests.clients.conftest import SCRIPTS, RunAnew

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_frames_files_parts_and_versions_by_s3_addresses(anew: RunAnew) -> None:
    assert anew("s3fs", SCRIPTS / "frames.py").splitlines() == [
        "csv True",
        "parquet True",
        "partition 500",
        "listed ['risks.csv', 'risks.parquet', 'ünï code & plus+.json']",
        "found 8 ['s3fs-frames/folder/risks.csv']",
        "size True",
        "piece True 12582912",
        r"tail b'\xffend'",
        "moved False 12582915",
        "attribute red",
        "tags {'team': 'red'}",
        "signed True",
        "versions [b'two', b'one'] [True, False]",
        "missing FileNotFoundError",
        "no bucket FileNotFoundError",
        "left []",
    ]
