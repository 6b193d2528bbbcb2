"""The `/models` contract of multi-model endpoints by Clary's own model server."""

import errno
import json
import os
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock

import pytest

from clary.toolkit.server import many_models
from clary.toolkit.server.listener import Exchange
from clary.toolkit.server.many_models import Loaded, Models
from clary.toolkit.server.message import Request, Response
from clary.toolkit.server.model_forks import Started
from clary.toolkit.server.model_line import Line
from tests.running import wait_until

SCRIPT = """
import os
{first}
KEPT = {name!r}
def model_fn(model_dir): return [{name!r}, KEPT, os.getpid()]
def transform_fn(model, body, content_type, accept):
    import json
    {then}
    return json.dumps(model + [body]), "application/json"
"""


@pytest.fixture
def many(opt, serve, sklearn_python):
    """A server of many models, none of which is loaded."""
    return serve(sklearn_python, SAGEMAKER_MULTI_MODEL="true")


@pytest.fixture
def placed(opt):
    """Puts a model where SageMaker does."""

    def place(name, first="", then=""):
        code = opt.base / "models" / name / "model" / "code"
        code.mkdir(parents=True)
        (code / "inference.py").write_text(SCRIPT.format(name=name, first=first, then=then))
        return str(code.parent)

    return place


def load(server, name, url):
    return server.request("POST", "/models", json.dumps({"model_name": name, "url": url}))


def invoke(server, name, body="1"):
    return server.request("POST", f"/models/{name}/invoke", body, Content_Type="text/csv")


def listed(server):
    return [model["modelName"] for model in json.loads(server.request("GET", "/models")[1])["models"]]


def test_a_model_is_loaded_once_invoked_shown_and_unloaded(many, placed):
    url = placed("a")
    assert many.request("GET", "/ping")[0] == 200
    assert listed(many) == []
    assert invoke(many, "a")[0] == 404
    assert load(many, "a", url)[0] == 200
    assert load(many, "a", url)[0] == 409
    assert json.loads(many.request("GET", "/models/a")[1]) == {"modelName": "a", "modelUrl": url}
    status, body, headers = invoke(many, "a", "1,2")
    assert (status, json.loads(body)[:2], json.loads(body)[3]) == (200, ["a", "a"], "1,2")
    assert headers["content-type"] == "application/json"
    assert many.request("DELETE", "/models/a")[0] == 200
    assert [many.request(method, "/models/a")[0] for method in ("GET", "DELETE")] == [404, 404]
    assert load(many, "a", url)[0] == 200


def test_scripts_of_one_name_stay_apart_each_in_a_process_of_its_own(many, placed):
    for name in ("a", "b"):
        assert load(many, name, placed(name))[0] == 200
    answers = [json.loads(invoke(many, name)[1]) for name in ("a", "b", "a")]
    assert [answer[:2] for answer in answers] == [["a", "a"], ["b", "b"], ["a", "a"]]
    assert answers[0][2] == answers[2][2] != answers[1][2]
    assert sorted(listed(many)) == ["a", "b"]


@pytest.mark.parametrize("first", ["raise OSError('no such model')", "import sys; sys.exit('no such model')"])
def test_a_model_that_does_not_load_says_why_and_harms_nobody(many, placed, first):
    assert load(many, "good", placed("good"))[0] == 200
    status, body, _ = load(many, "bad", placed("bad", first=first))
    assert status == 500
    assert body.startswith(b"no such model\n")
    assert listed(many) == ["good"]
    assert invoke(many, "bad")[0] == 404
    assert invoke(many, "good")[0] == 200


def test_a_model_whose_process_dies_may_be_loaded_again(many, placed):
    url = placed("dying", then="if body == 'die': os._exit(9)")
    load(many, "dying", url)
    load(many, "other", placed("other"))
    assert invoke(many, "dying", "die")[0] == 500
    assert invoke(many, "dying")[0] == 404
    assert listed(many) == ["other"]
    assert load(many, "dying", url)[0] == 200
    assert invoke(many, "dying")[0] == 200


def test_a_model_whose_process_has_died_before_anybody_asked_has_not_loaded(tmp_path):
    """It is no lack of memory, for which others would have to leave."""
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "1"))
        bound.listen()
    line, told, ended = Line(str(tmp_path / "1"), list), [], threading.Event()
    line.start(told.append, ended.set)
    line.close()
    assert ended.wait(60)
    assert told == [False]


def test_a_slow_model_holds_up_no_other(many, placed, opt):
    gate = str(opt.base / "gate")
    os.mkfifo(gate)
    load(many, "slow", placed("slow", then=f"open({gate!r}).close()"))
    load(many, "quick", placed("quick"))
    answers = []
    asking = threading.Thread(target=lambda: answers.append(ask_aside(many, "slow")))
    asking.start()
    assert invoke(many, "quick")[0] == 200
    assert answers == []
    os.close(os.open(gate, os.O_WRONLY))
    asking.join(60)
    assert answers == [200]


def ask_aside(server, name):
    """Over a connection of its own."""
    head = f"POST /models/{name}/invoke HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 1\r\n\r\n1"
    return int(server.raw(head.encode()).split()[1])


def test_what_waits_is_answered_before_a_model_leaves(many, placed, opt):
    gate = str(opt.base / "gate")
    os.mkfifo(gate)
    load(many, "a", placed("a", then=f"open({gate!r}).close()"))
    with ThreadPoolExecutor(1) as beside:
        answer = beside.submit(ask_aside, many, "a")
        opened = os.open(gate, os.O_WRONLY)  # returns once the model reads
        leaving = threading.Thread(target=lambda: many.request("DELETE", "/models/a"))
        leaving.start()
        os.close(opened)
        assert answer.result(60) == 200
        leaving.join(60)
    assert listed(many) == []


def test_what_does_not_fit_is_507_until_another_has_left(opt, serve, sklearn_python, placed):
    server = serve(sklearn_python, SAGEMAKER_MULTI_MODEL="true", CLARY_MODELS_MEMORY_BYTES=str(150 * 2**20))
    large = "HELD = bytearray(os.urandom(2**20) * 100)"
    urls = {name: placed(name, first=large) for name in ("a", "b")}
    assert load(server, "a", urls["a"])[0] == 200
    assert load(server, "b", urls["b"])[0] == 507
    assert listed(server) == ["a"]
    assert server.request("DELETE", "/models/a")[0] == 200
    assert load(server, "b", urls["b"])[0] == 200


def test_the_containers_script_serves_models_that_bring_none(opt, serve, sklearn_python, placed):
    (opt.base / "code").mkdir()
    (opt.base / "code" / "inference.py").write_text(SCRIPT.format(name="shared", first="", then=""))
    server = serve(sklearn_python, SAGEMAKER_MULTI_MODEL="true")
    bare = opt.base / "models" / "bare" / "model"
    bare.mkdir(parents=True)
    load(server, "bare", str(bare))
    load(server, "own", placed("own"))
    assert [json.loads(invoke(server, name)[1])[0] for name in ("bare", "own")] == ["shared", "own"]


def test_a_model_that_died_unseen_is_not_loaded_any_more(many, placed):
    url = placed("a")
    load(many, "a", url)
    os.kill(json.loads(invoke(many, "a")[1])[2], signal.SIGKILL)
    wait_until(lambda: invoke(many, "a")[0] == 404, 60, "it is known to be gone: nobody's request was lost")
    assert load(many, "a", url)[0] == 200


def test_a_model_that_is_still_being_loaded_can_be_given_up(many, placed, opt):
    gate = str(opt.base / "gate")
    os.mkfifo(gate)
    url = placed("endless", first=f"open({gate!r}).close()")
    answers = []
    order = json.dumps({"model_name": "endless", "url": url}).encode()
    head = f"POST /models HTTP/1.1\r\nHost: x\r\nContent-Length: {len(order)}\r\n\r\n".encode()
    loading = threading.Thread(target=lambda: answers.append(int(many.raw(head + order).split()[1])))
    loading.start()
    wait_until(lambda: listed(many) == ["endless"], 60, "it is being loaded")
    assert many.request("DELETE", "/models/endless")[0] == 200
    loading.join(60)
    assert answers == [500]
    assert listed(many) == []


def test_without_the_process_that_forks_the_server_ends(many, placed):
    load(many, "a", placed("a"))
    tasks = Path(f"/proc/{many.process.pid}/task/{many.process.pid}/children")
    os.kill(int(tasks.read_text().split()[0]), signal.SIGKILL)
    assert load(many, "b", placed("b"))[0] == 500
    assert many.process.wait(60) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_server(many, placed, how):
    load(many, "a", placed("a"))
    process = Path(f"/proc/{json.loads(invoke(many, 'a')[1])[2]}")
    assert process.exists()
    many.process.send_signal(how)
    many.process.wait(60)
    wait_until(lambda: has_ended(process), 60, "its model has ended")


def has_ended(process):
    """Also where it ends while it is looked at."""
    try:
        return " Z " in (process / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"model_name": "a"}'])
def test_what_is_no_order_to_load_is_refused(many, body):
    assert many.request("POST", "/models", body)[0] == 400


def test_who_asks_a_model_in_the_moment_in_which_it_leaves_is_told(tmp_path):
    """The one that loads models has found it, and its own thread gives it up before it is asked."""
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "1"))
        bound.listen()
    told, ended = [], threading.Event()
    line = Line(str(tmp_path / "1"), told.extend)
    line.start(lambda _well: line.close(), ended.set)
    assert ended.wait(60)
    line.ask("late")
    [(asked, response)] = told
    assert (asked, response.status) == ("late", 404)


@pytest.mark.parametrize("said", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 OK 200\r\n\r\n", b"HTTP"])
def test_a_model_whose_process_says_what_is_no_answer_has_not_loaded(tmp_path, said):
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "1"))
        bound.listen()
        line, told, ended = Line(str(tmp_path / "1"), list), [], threading.Event()
        line.start(told.append, ended.set)
        line.close()
        connected, _ = bound.accept()
        with connected:
            connected.sendall(said)
    assert ended.wait(60)
    assert told == [False]


class Stood:
    """What a model server of many models stands on, without processes."""

    def __init__(self):
        self.ended, self.killed, self.told = [], [], []

    def begin(self, _url):
        return Started(7, "nowhere")

    def end(self, started):
        self.ended.append(started.pid)

    def answer(self, answered):
        self.told += [response.status for _, response in answered]


@pytest.fixture
def stood():
    return Stood()


def asked(**order):
    return Exchange(None, Request("POST", "/models", {}, json.dumps(order).encode()), True)


def test_a_model_that_ends_just_as_it_is_given_up_is_not_killed_when_its_id_may_be_anothers(stood, monkeypatch):
    class Loading:
        """Its process dies, and its thread sees it, right when it is looked at."""

        def __init__(self):
            self.farewells = []

        @property
        def ready(self):
            ending = threading.Thread(target=models._ended, args=[model])
            ending.start()
            ending.join(0.1)
            return False

        def close(self):
            pass

    models, model = Models(stood, stood, 0), Loaded("a", "", Started(7, "nowhere"), Loading())
    monkeypatch.setattr(os, "kill", lambda pid, _signal: stood.killed.append((pid, list(stood.ended))))
    models._open = 1
    models._leave(model, asked(), Response(200))
    assert stood.killed == [(7, [])]


def test_a_model_for_which_there_is_no_descriptor_leaves_no_process(stood, monkeypatch):
    monkeypatch.setattr(many_models, "Line", Mock(side_effect=OSError(errno.EMFILE, "Too many open files")))
    Models(stood, stood, 0).take(asked(model_name="a", url="/nowhere"))
    assert (stood.told, stood.ended) == ([507], [7])


def test_a_models_files_may_go_while_they_are_counted(stood, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(Path, "lstat", Mock(side_effect=FileNotFoundError))
    assert many_models._size(tmp_path) == 0
