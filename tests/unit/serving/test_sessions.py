"""Which replica has which session."""

from __future__ import annotations

import pytest

from clary.serving.sessions import Sessions


@pytest.fixture
def clock():
    """`clock[0]` is now: 2026-01-01."""
    return [1767225600.0]


@pytest.fixture
def sessions(tmp_path, clock):
    return Sessions(tmp_path / "sessions", lambda: clock[0])


SAID = "abc-1; Expires=2026-01-01T00:20:00Z"


def test_a_session_is_found_until_its_time_is_over(sessions, clock):
    sessions.begin("e", SAID, "c1")
    assert sessions.container("e", "abc-1") == "c1"
    clock[0] += 1199
    assert sessions.container("e", "abc-1") == "c1"
    clock[0] += 1
    assert sessions.container("e", "abc-1") == ""


def test_sessions_are_their_endpoints_own(sessions):
    sessions.begin("e", SAID, "c1")
    sessions.begin("f", SAID, "c2")
    assert [sessions.container(endpoint, "abc-1") for endpoint in "efg"] == ["c1", "c2", ""]


def test_whoever_comes_after_a_restart_finds_them(sessions, tmp_path, clock):
    sessions.begin("e", SAID, "c1")
    assert Sessions(tmp_path / "sessions", lambda: clock[0]).container("e", "abc-1") == "c1"


def test_one_that_is_closed_is_gone_and_may_be_closed_twice(sessions):
    sessions.begin("e", SAID, "c1")
    sessions.end("e", "abc-1")
    sessions.end("e", "abc-1")
    assert sessions.container("e", "abc-1") == ""


@pytest.mark.parametrize(
    "said",
    ["", "abc", "abc; Expires=never", "abc; Expires=2026-13-01T00:00:00Z", "../x; Expires=2026-01-01T01:00:00Z"],
)
def test_what_names_no_session_is_none(sessions, tmp_path, said, caplog):
    sessions.begin("e", said, "c1")
    assert not (tmp_path / "sessions").exists()
    assert "names no session" in caplog.text


def test_those_that_are_over_are_swept_and_no_others(sessions, tmp_path, clock):
    sessions.sweep()
    sessions.begin("e", SAID, "c1")
    sessions.begin("e", "abc-2; Expires=2026-01-01T01:00:00Z", "c1")
    clock[0] += 1300
    sessions.sweep()
    assert len(list((tmp_path / "sessions").iterdir())) == 1
    assert sessions.container("e", "abc-2") == "c1"


def test_none_is_kept_for_ever(sessions, tmp_path, clock):
    sessions.begin("e", "abc; Expires=9999-01-01T00:00:00Z", "c1")
    clock[0] += 8 * 86400
    sessions.sweep()
    assert list((tmp_path / "sessions").iterdir()) == []


def test_a_disk_that_is_full_is_said_and_nothing_fails(tmp_path, caplog):
    (tmp_path / "sessions").write_text("a file where the folder should be")
    Sessions(tmp_path / "sessions", lambda: 0.0).begin("e", SAID, "c1")
    assert "cannot be kept" in caplog.text
