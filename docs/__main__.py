"""`python -m docs [--check]`: write into README.md what it takes from the code; every link must lead somewhere."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from clary.cli.main import COMMANDS
from clary.services.catalogue import REGISTRY

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BEGIN, END = "<!-- coverage: make docs -->", "<!-- end of coverage -->"
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def coverage_table() -> str:
    """What works, from the registry that the server itself answers from."""
    lines = ["| service | executes | keeps state |", "| --- | --- | --- |"]
    for name, service in sorted(REGISTRY.services.items()):
        columns = []
        for effect in ("executes", "keeps state"):
            offered = sorted(op.name for op in service.operations.values() if op.effect == effect)
            columns.append(", ".join(offered) or "–")
        lines.append(f"| `{name}` | {columns[0]} | {columns[1]} |")
    return "\n".join(lines)


def with_coverage(text: str) -> str:
    """README's text with the table between its markers."""
    head, rest = text.split(BEGIN, 1)
    _, tail = rest.split(END, 1)
    return f"{head}{BEGIN}\n\n{coverage_table()}\n\n{END}{tail}"


def cli_page() -> str:
    """docs/cli.md: what `--help` says of each command."""
    parts = ["# The command line\n\nWhat `clary COMMAND --help` says; `make docs` writes this page."]
    for command in COMMANDS:
        done = subprocess.run(
            [Path(sys.executable).parent / "clary", command, "--help"],
            env={"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1", "PATH": os.environ["PATH"], "HOME": "/home/you"},
            capture_output=True,
            text=True,
            check=True,
        )
        text = "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())
        parts.append(f"## {command}\n\n```text\n{text}\n```")
    return "\n\n".join(parts) + "\n"


def broken_links() -> list[str]:
    """Links to files that are not there."""
    return [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in LINK.findall(page.read_text())
        if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists()
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail where something is out of date")
    check = parser.parse_args().check
    readme = ROOT / "README.md"
    pages = {readme: with_coverage(readme.read_text()), ROOT / "docs" / "cli.md": cli_page()}
    problems = []
    for page, fresh in pages.items():
        if not check:
            page.write_text(fresh)
        elif not page.exists() or fresh != page.read_text():
            problems.append(f"{page.relative_to(ROOT)} is out of date: run `make docs`")
    problems += broken_links()
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
