"""An engine's pieces become lines, each once, from whatever place a new keeper begins."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.compute import record
from clary.launcher import engine_log
from clary.launcher.engine_file import LogFile, is_readable
from clary.launcher.engine_log import EngineLog
from clary.telemetry.logfile import EVENT_BYTES, LogReader

Pieces = list[tuple[int, bytes]]


class Kept:
    """What an engine has kept, in chunks as they come."""

    def __init__(self, *chunks: Pieces) -> None:
        self._chunks = chunks

    def pieces(self) -> Iterator[Pieces]:
        yield from self._chunks


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture(autouse=True)
def noted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_log, "_SECONDS", -1.0)


def _lines(path: Path) -> list[str]:
    return [event.message for event in LogReader(path).forward()]


def test_pieces_are_joined_to_lines_stream_by_stream(tmp_path: Path, path: Path) -> None:
    log = EngineLog(str(tmp_path), str(path))
    log.take(Kept([(1, b"be"), (2, b"error\n")], [(1, b"gun\nend")]))
    assert _lines(path) == ["error", "begun"]
    log.close()
    assert _lines(path) == ["error", "begun", "end"]


def test_a_line_without_end_is_not_held_in_memory(tmp_path: Path, path: Path) -> None:
    log = EngineLog(str(tmp_path), str(path))
    log.take(Kept(*[[(1, b"x" * 16_384)]] * 40))
    assert len(_lines(path)[0]) == EVENT_BYTES
    log.take(Kept(*[[(1, b"x" * 16_384)]] * 40, [(1, b"\n")]))
    log.close()
    assert sum(map(len, _lines(path))) == 40 * 16_384


def test_the_next_keeper_goes_on_where_the_last_was_sure(tmp_path: Path, path: Path) -> None:
    path.write_bytes(b"1 F Clary's own line\n")
    kept: Pieces = [(1, b"%d\n" % number) for number in range(6)]
    EngineLog(str(tmp_path), str(path)).take(Kept(kept[:2]))
    with path.open("ab") as file:
        file.write(b"9 F 2\n9 F torn")  # written, and killed before that was noted
    log = EngineLog(str(tmp_path), str(path))
    log.take(Kept(kept[:3], kept[3:]))
    log.close()
    assert _lines(path) == ["Clary's own line", "0", "1", "2", "3", "4", "5"]


def test_what_the_api_dropped_is_read_again(tmp_path: Path, path: Path) -> None:
    kept: Pieces = [(1, b"%d\n" % number) for number in range(9)]
    log = EngineLog(str(tmp_path), str(path))
    log.take(Kept([*kept[:4], *kept[6:8]]))
    log.mend(lambda: Kept(kept))
    log.close()
    assert _lines(path) == [str(number) for number in range(9)]


def test_what_was_taken_in_order_is_not_written_anew(tmp_path: Path, path: Path) -> None:
    kept: Pieces = [(1, b"%d\n" % number) for number in range(9)]
    log = EngineLog(str(tmp_path), str(path))
    log.take(Kept(kept[:4]))
    before = path.read_bytes()
    log.mend(lambda: Kept(kept))
    assert path.read_bytes().startswith(before)
    assert _lines(path) == [str(number) for number in range(9)]


def test_podmans_file_is_read_piece_by_piece(tmp_path: Path) -> None:
    file = tmp_path / "ctr.log"
    file.write_bytes(b"T stdout P be\nT stderr F wrong\nT stdout F gun\nT stdout F \nT stdout F to")
    found = [piece for pieces in LogFile(str(file), lambda: True).pieces() for piece in pieces]
    assert found == [(1, b"be"), (2, b"wrong\n"), (1, b"gun\n"), (1, b"\n")]
    assert is_readable(str(file))
    assert not is_readable(str(tmp_path / "container-json.log"))


def test_a_position_is_only_noted_between_lines(tmp_path: Path, path: Path) -> None:
    log = EngineLog(str(tmp_path), str(path))
    log.take(Kept([(1, b"whole\n")], [(1, b"half")]))
    assert (record.read(str(tmp_path), engine_log.POSITION) or {})["pieces"] == 1


def test_lines_of_ours_stand_among_the_programs_and_stay(tmp_path: Path, path: Path) -> None:
    log = EngineLog(str(tmp_path), str(path))
    log.say(b"ours\n")
    log.take(Kept([(1, b"printed\nunfin")]))
    log.say(b"ours again\n")
    log.mend(lambda: Kept([(1, b"other\n")]))
    log.close()
    assert _lines(path) == ["ours", "printed", "ours again", "unfin"]


def test_who_waits_for_what_was_printed_by_now_has_it_looked_for_at_once(tmp_path: Path, path: Path) -> None:
    log, kept, over = EngineLog(str(tmp_path), str(path)), tmp_path / "ctr.log", threading.Event()
    kept.write_text("2026-01-01T00:00:00Z stdout F one\n")
    source = LogFile(str(kept), over.is_set, lambda _: log.pause(60.0))
    reader = threading.Thread(target=lambda: log.take(source))
    reader.start()
    log.catch_up(20.0)
    assert _lines(path) == ["one"]
    with kept.open("a") as file:
        file.write("2026-01-01T00:00:00Z stdout F two\n")
    log.catch_up(20.0)
    assert _lines(path) == ["one", "two"]
    over.set()
    log.catch_up(0.1)  # it is not answered any more, but it wakes the reader
    reader.join(60)
    assert not reader.is_alive()
    log.close()
