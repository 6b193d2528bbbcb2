"""`python -m docs [--check]`: write into README.md what it takes from the code; every link must lead somewhere."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

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
    fresh = with_coverage(readme.read_text())
    problems = broken_links()
    if check and fresh != readme.read_text():
        problems.append("README.md: the table of what works is out of date; run `make docs`")
    if not check:
        readme.write_text(fresh)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
