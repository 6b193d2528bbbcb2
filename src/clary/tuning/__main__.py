"""Proposals in a process of their own: `python -m clary.tuning`.

Optuna and numpy take 0.3 seconds to import, 35 MB, and up to 50 ms for a proposal at 500 trials: too much for the
process that answers the API. This one reads a question per line of standard input and writes the answer as a line, both
JSON; it ends with its input, or when nobody has asked for a while. It remembers nothing: it may be killed at any time.

    {"spec": …, "trials": [[number, definition, values, status, objective, reports], …], "parents": […], "count": 2}
    [["", {"eta": "0.2"}], …]

Objectives and reports may be NaN, as Python writes JSON. The parameters of a request are what the API model makes of
them: whatever JSON cannot write is no part of a search.
"""

from __future__ import annotations

import json
import select
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from clary.tuning.search import Search
from clary.tuning.trials import Proposal, Trial

IDLE_SECONDS = 120.0


def answer(asked: Mapping[str, Any]) -> list[Proposal]:
    """Of one line of input."""
    search = Search(asked["spec"], [_trial(each) for each in asked["parents"]])
    return search.propose([_trial(each) for each in asked["trials"]], asked["count"])


def _trial(each: Sequence[Any]) -> Trial:
    return Trial(*each)._replace(reports=tuple(each[-1]))


def main() -> None:
    """Answer until nobody asks any more."""
    while select.select([sys.stdin], [], [], IDLE_SECONDS)[0]:
        line = sys.stdin.readline()
        if not line:
            return
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
