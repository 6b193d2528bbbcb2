"""What README and docs take from the code is true, and their links lead somewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_generated_parts_are_up_to_date_and_no_link_is_broken() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "docs", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_decision_stands_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text()
    assert [page.name for page in folder.glob("0*.md") if page.name not in listed] == []


def test_every_file_that_the_architecture_names_exists() -> None:
    """Names in backticks with a slash are files or folders below src/clary, or below the project."""
    words = (ROOT / "docs" / "architecture.md").read_text().split("`")[1::2]
    named = {word for word in words if "/" in word and not word.startswith("/") and " " not in word}
    source = ROOT / "src" / "clary"
    missing = [name for name in named if not (source / name).exists() and not (ROOT / name).exists()]
    assert missing == []
