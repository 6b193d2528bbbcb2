"""Whether a run holds what is promised: pure, over what was written down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.soak.crowds import TIMES, Overload
from benchmarks.soak.series import PROCESSES, Held, Second, quantile

REQUESTS = 100_000
RECOVERY_SECONDS = 5.0
ANSWER_SECONDS = 10.0
"""Of what is accepted in an overload: four seconds' worth may wait."""

REFUSAL_SECONDS = 2.0
"""Of 99 in a hundred of those that are refused: all of the crowd begins in one moment."""

MORE_MIB, MORE_PART = 16.0, 0.10
"""A process may hold so much more at the end, or that part of what it held: whichever is more."""

MORE_FILES, MORE_THREADS = 16, 8


@dataclass(frozen=True)
class Event:
    """Something that was done to the endpoints; times in seconds since the run began."""

    name: str
    began: float
    ended: float
    told: str
    failed: bool = False


@dataclass(frozen=True)
class Run:
    """All that was seen."""

    seconds: Sequence[Second]
    events: Sequence[Event]
    overloads: Sequence[Overload]
    wrong: Sequence[str]
    """Answers and failures that nothing explains."""
    answers: int
    """Predictions that came from a model that was live."""
    steady: tuple[float, float]
    """Between these seconds no process of Clary was killed."""


@dataclass(frozen=True)
class Check:
    """One promise."""

    title: str
    held: bool
    said: str

    def __str__(self) -> str:
        return f"{'✓' if self.held else '✗'} {self.title}: {self.said}"


def checks(run: Run) -> list[Check]:
    """All of them."""
    return [_explained(run), _rested(run), *_overloads(run.overloads), *_growth(run)]


def _explained(run: Run) -> Check:
    failures = sum((Counter(second.failures) for second in run.seconds), Counter[str]())
    kinds = ", ".join(f"{count} × {kind.strip()}" for kind, count in failures.most_common())
    said = "; ".join([f"{run.answers} answers; {kinds or 'no failure'}", *run.wrong[:5]])
    return Check("no wrong answer, and no failure but by what was killed or overloaded", not run.wrong, said)


def _rested(run: Run) -> Check:
    failed = [f"{event.name} at {event.began:.0f} s: {event.told}" for event in run.events if event.failed]
    return Check("every change came to its end", not failed, "; ".join(failed) or f"{len(run.events)} of them")


def _overloads(found: Sequence[Overload]) -> Iterator[Check]:
    if not found:
        yield Check("overloads", False, "there was none")
        return
    weakest = min(each.times for each in found)
    yield Check(f"{TIMES} times as much was asked for", weakest >= TIMES, f"at least {weakest:.0f} times")
    yield _within("an overload is over", max(each.recovered for each in found), RECOVERY_SECONDS)
    yield _within(
        "what is accepted is answered", max(max(each.answered, default=0.0) for each in found), ANSWER_SECONDS
    )
    yield _within("99 % of what is refused is so", max(quantile(each.refused, 0.99) for each in found), REFUSAL_SECONDS)
    others = {name for each in found for name in each.others}
    yield Check("in an overload nothing but 200 and 429", not others, ", ".join(sorted(others)) or "so it was")


def _within(title: str, seconds: float, most: float) -> Check:
    return Check(f"{title} within {most:g} s", seconds <= most, f"{seconds:.2f} s at most")


def _growth(run: Run) -> Iterator[Check]:
    """The first tenth of the time in which no process was killed, against its last."""
    begin, end = run.steady
    steady = [second for second in run.seconds if begin <= second.at <= end]
    tenth = max(1, len(steady) // 10)
    asked = sum(second.answered for second in steady[tenth:])
    yield Check(f"{REQUESTS} requests while it is looked at", asked >= REQUESTS, str(asked))
    for name in PROCESSES:
        first, last = _held(steady[:tenth], name), _held(steady[-tenth:], name)
        yield _grown(name, first, last) if first and last else Check(f"{name} runs", False, "it was not seen")


def _grown(name: str, first: Held, last: Held) -> Check:
    held = (
        last.mib - first.mib <= max(MORE_MIB, MORE_PART * first.mib)
        and last.files - first.files <= MORE_FILES
        and last.threads - first.threads <= MORE_THREADS
    )
    said = (
        f"{first.mib:.1f} → {last.mib:.1f} MiB, {first.files} → {last.files} open files, "
        f"{first.threads} → {last.threads} threads"
    )
    return Check(f"{name} has not grown", held, said)


def _held(seconds: Sequence[Second], name: str) -> Held | None:
    """Memory in the median; files and threads at the least, since a crowd that is there just now is no growth."""
    found = [second.held[name] for second in seconds if name in second.held]
    if not found:
        return None
    return Held(
        median(each.mib for each in found), min(each.files for each in found), min(each.threads for each in found)
    )
