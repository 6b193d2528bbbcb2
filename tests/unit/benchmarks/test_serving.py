"""What `make bench-serving` makes of its measurements; and that what it starts is ended."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.serving import __main__ as serving
from benchmarks.serving import endpoints, environments, load, measuring, messages, peers, report
from benchmarks.serving.drawing import drawn
from benchmarks.serving.idle import Idle
from benchmarks.serving.load import LoadFailed, Round
from benchmarks.serving.measuring import Cell, Measured
from benchmarks.serving.processes import Ended, started
from tests.running import wait_until

MANY, ALONE = Cell("voting", 32), Cell("voting", 1)
ROW = "75.0,0.0,582.0"
SAID = {"requests": 3000, "microseconds": 1_500_000, "p50": 1500, "p99": 2600, "refused": 0, "broken": 0}


def measured(title: str, many: list[float], alone: list[float], setting: str = "") -> Measured:
    """Rounds with these requests in a second."""
    rounds = {MANY: [Round(rate, 2.0, 3.0) for rate in many], ALONE: [Round(rate, 0.4, 1.0) for rate in alone]}
    return Measured(title, setting, rounds)


@pytest.fixture
def servers() -> dict[str, Measured]:
    every = [
        measured("Flask", [100, 200, 300], [50, 50, 50]),
        measured("MLServer", [1000, 1100, 900], [90, 90, 90], "plain"),
        measured("MLServer", [500, 500, 500], [120, 100, 110], "batches"),
        measured("Clary", [12_000, 12_100, 9000], [2000, 2000, 2000]),
    ]
    return dict(measuring.by_title(every, [MANY, ALONE]))


def output(**said: int) -> str:
    return f"Running 1s test @ http://127.0.0.1:1\n\nfigures {json.dumps(SAID | said)}\n"


def test_what_wrk_said():
    assert load.parse(output()) == Round(2000.0, 1.5, 2.6)


@pytest.mark.parametrize("said", [{"refused": 1}, {"broken": 1}, {"requests": 0}], ids=["refused", "broken", "none"])
def test_a_round_with_failures_does_not_count(said):
    with pytest.raises(LoadFailed):
        load.parse(output(**said))


def test_no_figures_is_a_failure_that_shows_the_output():
    with pytest.raises(LoadFailed, match="unable to connect"):
        load.parse("unable to connect to 127.0.0.1:1")


def test_requests_are_written_with_their_lengths(tmp_path):
    assert load.written([b"a\nb", b"cd"], tmp_path / "file").read_bytes() == b"3\na\nb2\ncd"


def test_of_several_settings_each_cell_has_the_best(servers):
    assert servers["MLServer"].median(MANY).per_second == 1000
    assert servers["MLServer"].median(ALONE).per_second == 110


def test_settings_that_are_best_nowhere_are_not_measured_on():
    every = [
        measured("MLServer", [1000], [90], "plain"),
        measured("MLServer", [500], [120], "batches"),
        measured("MLServer", [900], [80], "workers"),
        measured("Flask", [1], [1]),
    ]
    good = measuring.best_settings(every, [MANY, ALONE])
    assert good == {("MLServer", "plain"), ("MLServer", "batches"), ("Flask", "")}


def test_the_ratio_is_to_the_best_peer_round_by_round(servers):
    best = report.best_peer(servers, MANY)
    assert best is not None
    assert best.title == "MLServer"
    assert report.ratios(servers, MANY) == [12, 11, 10]


def test_voting_misses_its_target_and_passes_its_gate(servers):
    ratio, p99, p50 = report.figures(servers, [MANY, ALONE])
    assert (ratio.title, ratio.median, ratio.met, ratio.passed) == (
        "voting, 32 clients: Clary over MLServer",
        11,
        False,
        True,
    )
    assert (p99.median, p99.met) == (3.0, True)
    assert (p50.title, p50.median, p50.met) == ("voting, 1 client: p50", 0.4, True)


def test_clary_alone_has_no_ratio(servers):
    titles = [figure.title for figure in report.figures({"Clary": servers["Clary"]}, [MANY, ALONE])]
    assert titles == ["voting, 32 clients: p99", "voting, 1 client: p50"]


def test_idle_endpoints_have_targets():
    memory, create = report.idle_figures(Idle([0.2, 0.4, 0.25], (2.0, 1.0, 8.0)))
    assert "shim 2.0, PID 1 1.0, model server 8.0" in memory.title
    assert (memory.median, memory.passed, create.passed) == (11.0, False, True)


def test_the_table_has_a_line_for_each_server(servers):
    lines = report.table(servers, [MANY, ALONE]).splitlines()
    assert lines[0] == "| server | voting, 32 clients | voting, 1 client |"
    assert lines[-1] == "| Clary | 12,000 req/s, 2.0 / 3.0 ms | 2,000 req/s, 0.40 / 1.0 ms |"
    assert len(lines) == 2 + 3


def test_the_document_keeps_every_round(servers):
    found = list(report.figures(servers, [MANY, ALONE]))
    said = json.loads(json.dumps(report.document(list(servers.values()), found)))
    assert len(said["measurements"]) == 3 * 2
    assert said["measurements"][0]["rounds"][1] == {"per_second": 200, "p50": 2.0, "p99": 3.0}
    assert said["figures"][0]["median"] == 11


def test_the_picture_shows_every_server_in_every_cell(servers):
    root = ElementTree.fromstring(drawn(servers, [MANY, ALONE], report.OWN))
    bars = root.findall(".//{http://www.w3.org/2000/svg}rect")
    assert len(bars) == 3 * 2
    widths = [float(bar.get("width", "0")) for bar in bars]
    assert all(width > 0 for width in widths)
    assert max(widths) == widths[2]
    assert [bar.get("class") for bar in bars[:3]] == ["", "", "own"]


def test_titles_from_outside_are_escaped():
    picture = drawn({"<b>&": measured("<b>&", [1], [2])}, [MANY, ALONE], report.OWN)
    assert "&lt;b&gt;&amp;" in picture
    ElementTree.fromstring(picture)


def test_a_request_is_whole():
    request = messages.post(8080, "/voting", b"1,2", {"Content-Type": "text/csv"})
    head, body = request.split(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /voting HTTP/1.1",
        b"Host: 127.0.0.1:8080",
        b"Content-Length: 3",
        b"Content-Type: text/csv",
    ]
    assert body == b"1,2"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("flask", b"0.25\n"),
        ("ray", b"0.25"),
        ("bentoml", b"[0.25]"),
        ("mlserver", b'{"outputs":[{"name":"predict_proba","shape":[1,2],"data":[0.75,0.25]}]}'),
    ],
)
def test_each_peer_is_asked_for_the_row_and_read(name, answer):
    for peer in peers.PEERS[name]:
        server = peers.StartedPeer(peer, 8080)
        assert ROW.encode() in server.request("voting", ROW)
        assert server.risk("voting", answer) == 0.25


def test_mlserver_has_four_settings_under_one_title():
    assert len({peer.setting for peer in peers.PEERS["mlserver"]}) == 4
    assert len({peer.title for peer in peers.PEERS["mlserver"]}) == 1


def test_each_request_to_clary_has_its_own_signature():
    key = endpoints.Credentials("AKIDEXAMPLE", "secret")
    clary = endpoints.Endpoints(8080, key)
    lines = [clary.request("voting", row).split(b"\r\n") for row in (ROW, "1,2,3")]
    signed = [next(line for line in each if line.startswith(b"Authorization: AWS4-HMAC-SHA256")) for each in lines]
    assert signed[0] != signed[1]
    assert all(b"/us-east-1/sagemaker/aws4_request" in line for line in signed)
    assert clary.risk("voting", b"[[0.75, 0.25]]") == clary.risk("xgboost", b"0.25\n") == 0.25


def test_processes_in_sessions_of_their_own_end_too(tmp_path):
    child = "import subprocess, time; subprocess.Popen(['sleep', '300'], start_new_session=True); time.sleep(300)"
    with started([sys.executable, "-c", child], os.environ, tmp_path / "log") as processes:
        wait_until(lambda: len(list(processes.alive())) == 2, 60, "both run")
        alive = list(processes.alive())
    assert not any(Path(f"/proc/{pid}/exe").exists() for pid in alive)


def test_a_server_that_ends_says_why(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('no model')"]
    with started(command, os.environ, tmp_path / "log") as processes:
        wait_until(lambda: not list(processes.alive()), 60, "it has ended")

        def says() -> bool:
            try:
                processes.check()
            except Ended as ended:
                return "no model" in str(ended)
            return False

        wait_until(says, 60, "its end is seen")


def test_without_wrk_it_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", ["benchmarks.serving"])
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert serving.main() == 2
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "apt-get install wrk" in capsys.readouterr().err


LOCKS = sorted(environments.LOCKS.glob("*.in"))


@pytest.mark.parametrize("wanted", LOCKS, ids=lambda path: path.stem)
def test_every_server_has_the_same_libraries_of_models_from_no_certain_index(wanted):
    lock = wanted.with_suffix(".txt").read_text()
    assert re.findall(r"^(?:scikit-learn|xgboost|numpy)==\S+", lock, re.MULTILINE) == [
        "numpy==1.26.4",
        f"scikit-learn=={environments.VERSION}",
        "xgboost==3.0.5",
    ]
    assert "://" not in lock
    pinned = re.findall(r"^([\w-]+)(?:\[.*\])?==(\S+)", wanted.read_text(), re.MULTILINE)
    assert all(f"\n{name}=={version} " in f"\n{lock}" for name, version in pinned)
