"""Kills of Clary's processes at any moment while players play; after each, everything is as it was acknowledged."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from random import Random

from clary.objects import ObjectReader, ObjectStore
from clary.settings import Settings
from clary.store.rows import Row
from clary.store.view import Reader
from clary.telemetry.paths import stream_file
from tests.durability.accounts import Accounts
from tests.durability.buckets import Objects
from tests.durability.confidential import Grants, Keys, Parameters, Secrets
from tests.durability.guarded import Guarded
from tests.durability.identities import Identities
from tests.durability.letters import Letters
from tests.durability.picture import drawn_when_slow
from tests.durability.records import Groups, Kept, Logs, Metrics
from tests.durability.uploads import Uploads
from tests.durability.versions import Versions
from tests.durability.witness import Doubtful, Game, Player, answered
from tests.running import RunningClary, wait_until

ALL = ("supervisor", "edge", "control", "launcher")
KILLED = (("control",), ("control",), ("edge",), ("edge",), ("launcher",), ("supervisor",), ("edge", "control"), ALL)
KINDS = (
    *(Objects, Versions, Uploads, Guarded, Letters, Identities, Accounts, Keys, Grants, Secrets, Parameters),
    *(Logs, Groups, Metrics, Kept),
)
BACK_SECONDS = 300


def game(clary: RunningClary, seed: int) -> Game:
    """One player of each kind."""
    players: list[Player] = [kind(clary, f"{seed} {kind.__name__}", seed) for kind in KINDS]
    return Game(players, Random(seed))


def play(clary: RunningClary, seed: int, kills: int, longest: float) -> Game:
    """That many kills, each at a moment of up to `longest` seconds. AssertionError says what was not kept."""
    chance, played = Random(seed), game(clary, seed)
    for number in range(kills):
        killed, moment = chance.choice(KILLED), chance.uniform(0, longest)
        try:
            _one(clary, played, killed, moment)
        except BaseException as error:
            error.add_note(f"seed {seed}, kill {number}: {killed} after {moment:.3f} s")
            raise
    return played


def _one(clary: RunningClary, played: Game, killed: tuple[str, ...], moment: float) -> None:
    played.begin()
    time.sleep(moment)
    kill(clary, killed)
    _comes_back(clary)
    played.end()
    _comes_back(clary)
    played.check()


def _comes_back(clary: RunningClary) -> None:
    with drawn_when_slow(clary, "everything is answered again"):
        wait_until(lambda: answers(clary), BACK_SECONDS, "everything is answered again")


def kill(clary: RunningClary, names: tuple[str, ...]) -> None:
    """SIGKILL to all of them; without its supervisor Clary is started again."""
    for name in names:
        with suppress(LookupError):  # one that was killed a moment ago may not be back
            clary.kill(name)
    if "supervisor" in names:
        with drawn_when_slow(clary, "up"):
            wait_until(lambda: _up(clary), BACK_SECONDS, "up")


def _up(clary: RunningClary) -> bool:
    """Whether it is; it is refused as long as the old processes end."""
    try:
        clary.up()
    except RuntimeError:
        return False
    return True


def answers(clary: RunningClary) -> bool:
    """Whether edge and control, all of its databases, do."""
    try:
        answered(clary.client("s3").list_buckets)
        answered(clary.client("sagemaker").list_models)
        answered(clary.client("sqs").list_queues)
    except Doubtful:
        return False
    return True


def leavings(clary: RunningClary) -> list[str]:
    """What stays when nobody asks for anything any more: files that nothing names. Clary is down."""
    root = clary.data_dir / "objects"
    store = ObjectStore(root)
    try:
        store.collector.collect(now=time.time() + 1e6)
        store.collector.sweep(older_than=-60)
        named = _named(store)
        kept = {file for file, _ in store.files.all()} | _small(store)
        lost = [f"object file {file}" for file in kept - named]
        assert named <= kept, "bodies that a row names are gone"
    finally:
        store.close()
    return lost + _lost_logs(clary) + _of_the_killed(clary.data_dir)


def _of_the_killed(folder: Path) -> list[str]:
    """What each kill may leave, and the next start clears away."""
    return [str(path) for name in ("*.new", "run/edges/*") for path in folder.rglob(name)]


def _lost_logs(clary: RunningClary) -> list[str]:
    """Files of streams that are gone."""
    settings = Settings(data_dir=clary.data_dir)
    reader = Reader(settings.database)
    try:
        assert reader.rows("log-remains") == []
        named = {_log_file(settings, row) for row in reader.rows("log-stream")}
    finally:
        reader.close()
    return [f"log file {path}" for path in settings.logs_dir.rglob("*.log") if path not in named]


def _log_file(settings: Settings, row: Row) -> Path:
    _, _, stream = row.key.name.partition(":")
    return stream_file(settings.logs_dir, row.key.account, row.key.region, row.parent, stream)


def _named(store: ObjectReader) -> set[str]:
    connection = store._connections.get()
    layouts = "SELECT layout FROM object UNION ALL SELECT layout FROM version WHERE layout != ''"
    parts = {file for (file,) in connection.execute("SELECT file FROM part")}
    return parts | {file for (layout,) in connection.execute(layouts) for file, *_ in json.loads(layout)}


def _small(store: ObjectReader) -> set[str]:
    return {file for (file,) in store._connections.get().execute("SELECT file FROM small")}


def log_of(clary: RunningClary) -> str:
    """What the server has written."""
    return Path(clary.data_dir / "server.log").read_text(errors="replace")
