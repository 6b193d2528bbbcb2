"""The model server: a user's inference script asked over HTTP."""

import ctypes
import io
import json
import os
import select
import signal
import socket
import struct
import threading
import zipfile
from pathlib import Path

import pytest

from tests.running import wait_until

SUM = """
class Sum:
    n_features_in_ = 3
    def predict(self, x): return x.sum(axis=1)
def model_fn(model_dir): return Sum()
"""


@pytest.fixture
def host(opt, serve, sklearn_python):
    """Serves a script."""

    def start(text, **env):
        (opt.base / "model/code").mkdir(exist_ok=True)
        (opt.base / "model/code/inference.py").write_text(text)
        return serve(sklearn_python, **env)

    return start


def npy(rows):
    """An array of float64, written without numpy."""
    header = str({"descr": "<f8", "fortran_order": False, "shape": (len(rows), len(rows[0]))})
    header += " " * (-(len(header) + 11) % 64) + "\n"
    values = b"".join(struct.pack("<d", value) for row in rows for value in row)
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + values


def test_default_functions_speak_csv_json_and_npy(host):
    server = host(SUM)
    assert server.invoke("1,2,3\n4,5,6", accept="text/csv")[:2] == (200, b"6.0\n15.0\n")
    assert server.invoke("[[1,2,3],[4,5,6]]", "application/json")[:2] == (200, b"[6.0, 15.0]")
    status, body, headers = server.invoke(npy([[1, 2, 3]]), "application/x-npy", accept="application/x-npy")
    assert (status, headers["content-type"]) == (200, "application/x-npy")
    assert body.startswith(b"\x93NUMPY")
    assert body.endswith(struct.pack("<d", 6.0))


def test_one_row_of_csv_is_one_row(host):
    assert host(SUM).invoke("1,2,3", accept="application/json")[:2] == (200, b"[6.0]")


def test_the_default_accept_can_be_set(host):
    server = host(SUM, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/csv")
    assert server.invoke("1,2,3", accept="*/*")[2]["content-type"] == "text/csv"


def zipped(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), data)  # of no date: it names tests, alike in all processes
    return content.getvalue()


ZIP = zipped(format=b"\x93NUMPY abc")


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("text/csv", "1,a,3", 400),
        ("text/csv", b"\xff\xfe", 400),
        ("application/json", "[1,", 400),
        ("application/json", "[[1,2],[3]]", 400),
        ("application/x-npy", b"\x93NUMPY nonsense", 400),
        ("application/x-npy", b"", 400),
        ("application/x-npy", b"\x93NUMPY\x01\x00\x0e\x00{'descr': '<f8'", 400),
        ("application/x-npy", npy([[1, 2, 3]]).replace(b"(1, 3)}               ", b"(999999999999999999,)}"), 400),
        ("application/x-npz", b"PK nonsense", 400),
        ("application/x-npz", ZIP[:-30], 400),
        ("application/x-npz", ZIP.replace(b"abc", b"xyz"), 400),
        ("application/unknown", "1", 415),
    ],
)
def test_a_body_that_is_not_what_it_says_is_a_client_error(host, content_type, body, status):
    server = host(SUM)
    assert server.invoke(body, content_type)[0] == status
    assert server.invoke("1,2,3")[0] == 200


def test_an_answer_that_cannot_be_written_is_406(host):
    assert host(SUM).invoke("1,2,3", accept="image/png")[0] == 406


def test_a_pickle_in_an_array_is_never_loaded(host, opt):
    server = host(SUM)
    evil = (
        b"\x93NUMPY\x01\x00"
        + struct.pack("<H", 54)
        + b"{'descr': '|O', 'fortran_order': False, 'shape': ()} \n"
        + b"cos\nsystem\n(S'touch "
        + str(opt.base / "pwned").encode()
        + b"'\ntR."
    )
    status, body, _ = server.invoke(evil, "application/x-npy")
    assert status == 400
    assert b"allow_pickle" in body
    assert not (opt.base / "pwned").exists()


def test_users_functions_replace_the_defaults(host):
    server = host(
        "import json\n"
        "def model_fn(model_dir): return 10\n"
        "def input_fn(body, content_type): return [type(body).__name__, content_type]\n"
        "def predict_fn(data, model): return data + [model]\n"
        "def output_fn(prediction, accept): return json.dumps(prediction), 'application/x-mine'\n"
    )
    status, body, headers = server.invoke(b"\x00", "application/x-what")
    assert (status, json.loads(body)) == (200, ["bytes", "application/x-what", 10])
    assert headers["content-type"] == "application/x-mine"
    assert json.loads(server.invoke("1", "text/csv")[1])[0] == "str"


def test_transform_fn_does_it_all_and_context_is_given_where_wanted(host):
    server = host(
        "def model_fn(model_dir, context): return context.system_properties['model_dir']\n"
        "def transform_fn(model, body, content_type, accept): return f'{model}|{body}|{accept}'\n"
    )
    assert server.invoke("x", accept="text/plain")[1].endswith(b"/ml/model|x|text/plain")


def test_transform_fn_beside_the_others_is_refused(host):
    server = host(SUM + "def transform_fn(*a): pass\ndef predict_fn(d, m): pass\n")
    assert server.port is None
    assert "Cannot use transform_fn implementation with input_fn, predict_fn, and/or output_fn" in server.log()


@pytest.mark.parametrize("returned", ["'text'", "b'text'", "bytearray(b'text')"])
def test_what_a_function_may_return(host, returned):
    server = host(f"def model_fn(d): pass\ndef transform_fn(m, b, c, accept): return {returned}\n")
    assert server.invoke("x")[:2] == (200, b"text")


def test_a_failing_function_is_a_500_with_message_and_traceback(host):
    server = host(SUM + "def predict_fn(data, model): raise KeyError('column')\n")
    status, body, _ = server.invoke("1,2,3")
    assert status == 500
    assert body.startswith(b"'column'\nTraceback (most recent call last):")
    assert server.invoke("1,2,3")[0] == 500
    wait_until(lambda: "KeyError: 'column'" in server.log(), 60, "its log is read beside")


def test_an_error_with_a_status_of_its_own_keeps_it(host):
    server = host(
        SUM + "class Bad(Exception):\n    status_code = 422\n    message = 'too long'\n"
        "def predict_fn(data, model): raise Bad()\n"
    )
    status, body, _ = server.invoke("1,2,3")
    assert status == 422
    assert body.startswith(b"too long\n")


def test_a_script_that_cannot_load_ends_with_its_traceback(host):
    server = host("def model_fn(model_dir): raise OSError('no such model')\n")
    assert server.process.wait(60) == 1
    assert "OSError: no such model" in server.log()


def test_without_model_fn_the_public_toolkits_words_are_logged(host):
    server = host("x = 1\n")
    assert server.process.wait(60) == 1
    assert "Please provide a model_fn implementation." in server.log()


def test_ping_and_unknown_paths(host):
    server = host(SUM)
    assert server.request("GET", "/ping")[:2] == (200, b"")
    assert server.request("GET", "/nothing")[0] == 404
    assert server.request("GET", "/invocations")[0] == 405
    assert server.request("GET", "/execution-parameters")[0] == 404


def test_ping_answers_while_a_prediction_runs(host, opt):
    server = host(
        "import os, time\ndef model_fn(d): return d\n"
        "def transform_fn(model, body, c, a):\n"
        f"    open({str(opt.base / 'begun')!r}, 'w').close()\n"
        f"    while not os.path.exists({str(opt.base / 'go')!r}): time.sleep(0.01)\n"
        "    return 'done'\n"
    )
    answers = []
    thread = threading.Thread(target=lambda: answers.append(server.invoke("x")[1]))
    thread.start()
    assert b"200 OK" in server.raw(b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answers == []
    (opt.base / "go").touch()
    thread.join(60)
    assert answers == [b"done"]


def test_sigterm_lets_a_running_prediction_finish(host, opt):
    server = host(
        "import os, time\ndef model_fn(d): return d\n"
        "def transform_fn(model, body, c, a):\n    print('begun', flush=True)\n    time.sleep(0.5)\n    return 'done'\n"
    )
    answers = []
    thread = threading.Thread(target=lambda: answers.append(server.invoke("x")[:2]))
    thread.start()
    deadline = threading.Event()
    while not any("begun" in line for line in server.lines):
        assert not deadline.wait(0.01)
    assert server.stop() == 0
    thread.join(60)
    assert answers == [(200, b"done")]


def test_malformed_requests_are_refused_and_the_server_lives(host):
    server = host(SUM)
    assert b"400 Bad Request" in server.raw(b"NONSENSE\r\n\r\n")
    assert server.raw(b"") == b""
    server.raw(b"POST /invocations HTTP/1.1\r\nContent-Length: 100\r\n\r\nshort")
    assert server.invoke("1,2,3")[0] == 200


def test_chunked_bodies_expectations_and_pipelining(host):
    server = host(SUM)
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n3\r\n1,2\r\n2\r\n,3\r\n0\r\n\r\n"
    expecting = head + b"Expect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n4,5,6"
    answer = server.raw(chunked + expecting)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert b"100 Continue" in answer
    assert answer.index(b"[6.0]") < answer.index(b"[15.0]")


def test_answers_that_the_kernel_does_not_take_at_once_keep_their_order(host):
    """What waits for the client is the HTTP thread's to write, what comes after it too."""
    server = host("def model_fn(d): pass\ndef transform_fn(m, b, c, a): return b.decode() * int(b), 'text/plain'\n")
    sizes = [300_000 + number if number % 3 else 7 for number in range(12)]
    head = "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: "
    posts = [f"{head}{len(str(size))}\r\n\r\n{size}" for size in sizes]
    ping, end = "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", "Connection: close\r\n\r\n"
    sent = ping.join(posts) + ping.removesuffix("\r\n") + end
    with socket.create_connection(("127.0.0.1", server.port), 60) as client, client.makefile("rb") as answers:
        client.sendall(sent.encode())
        for size in sizes:
            assert body_of(answers) == str(size).encode() * size
            assert body_of(answers) == b""
        assert answers.read() == b""


def body_of(answers):
    """The next answer's."""
    length = 0
    assert answers.readline().startswith(b"HTTP/1.1 200 ")
    while line := answers.readline().strip():
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    return answers.read(length)


def test_headers_cannot_be_injected_by_a_content_type(host):
    server = host("def model_fn(d): pass\ndef transform_fn(m, b, c, a): return 'x', 'a/b\\r\\nevil: yes'\n")
    assert "evil" not in {name.lower() for name in server.invoke("x")[2]}


def test_workers_share_the_port_and_end_together(host):
    server = host(
        "import os\ndef model_fn(d): return os.getpid()\ndef transform_fn(m, b, c, a): return str(m)\n",
        SAGEMAKER_MODEL_SERVER_WORKERS="2",
    )
    pids = {
        server.raw(b"POST /invocations HTTP/1.1\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx")[-7:]
        for _ in range(3)
    }
    assert pids
    assert server.stop() == 0


def test_workers_that_are_still_loading_end_too(host):
    server = host(
        "import os, time\n"
        "def model_fn(d):\n"
        "    try: os.mkdir(d + '/first')\n"
        "    except FileExistsError: time.sleep(600)\n"
        "def transform_fn(m, b, c, a): return 'x'\n",
        SAGEMAKER_MODEL_SERVER_WORKERS="4",
    )
    assert server.stop() == 0


def test_a_signal_that_does_not_wake_the_main_thread_is_heard(host):
    """As one does that comes just before the main thread waits: here another thread is given it."""
    server = host("def model_fn(d): return 1\ndef transform_fn(m, b, c, a): return 'x'\n")
    process = server.process.pid
    others = [int(task.name) for task in Path(f"/proc/{process}/task").iterdir() if int(task.name) != process]
    assert ctypes.CDLL(None).tgkill(process, others[0], signal.SIGTERM) == 0
    assert server.process.wait(60) == 0


def test_a_worker_that_dies_is_replaced(host):
    server = host(
        "import os\ndef model_fn(d): return 1\n"
        "def transform_fn(m, b, c, a):\n    if b == 'die': os._exit(9)\n    return 'alive'\n",
        SAGEMAKER_MODEL_SERVER_WORKERS="2",
    )
    for _ in range(3):
        server.raw(b"POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Length: 3\r\n\r\ndie")
    answer = server.raw(b"POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Length: 1\r\n\r\nx")
    assert b"alive" in answer


def test_workers_end_with_their_parent_even_if_it_is_killed(host):
    server = host(
        "import os\ndef model_fn(d): return 1\ndef transform_fn(m, b, c, a): return str(os.getpid())\n",
        SAGEMAKER_MODEL_SERVER_WORKERS="2",
    )
    worker = os.pidfd_open(int(server.invoke("x")[1]))
    server.process.kill()
    assert select.select([worker], [], [], 20)[0], "the worker has ended"
    os.close(worker)


def test_sources_named_by_the_environment_are_used(opt, serve, sklearn_python):
    (opt.base / "sources/mine.py").write_text(SUM)
    server = serve(sklearn_python, SAGEMAKER_PROGRAM="mine.py", SAGEMAKER_SUBMIT_DIRECTORY=str(opt.base / "sources"))
    assert server.invoke("1,2,3")[:2] == (200, b"[6.0]")


def test_requirements_are_installed_before_the_script_is_imported(opt, serve, sklearn_python, tmp_path):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels)
    opt.env.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheels))
    (opt.base / "model/code").mkdir()
    (opt.base / "model/code/requirements.txt").write_text("tiny\n")
    (opt.base / "model/code/inference.py").write_text(
        "import tiny\ndef model_fn(d): return tiny.answer\ndef transform_fn(m, b, c, a): return str(m)\n"
    )
    assert serve(sklearn_python).invoke("x")[1] == b"42"


def make_wheel(folder):
    import zipfile

    with zipfile.ZipFile(folder / "tiny-1.0-py3-none-any.whl", "w") as file:
        file.writestr("tiny.py", "answer = 42\n")
        file.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        file.writestr(
            "tiny-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        file.writestr("tiny-1.0.dist-info/RECORD", "")


def test_a_script_may_run_an_event_loop_and_signals(host):
    server = host(
        "import asyncio, signal\ndef model_fn(d): return 1\n"
        "async def slowly(): return 'from a loop'\n"
        "def transform_fn(m, b, c, a):\n"
        "    signal.signal(signal.SIGALRM, lambda *_: None)\n"
        "    return asyncio.run(slowly())\n"
    )
    assert server.invoke("x")[1] == b"from a loop"


def test_large_bodies_both_ways(host):
    server = host("def model_fn(d): return 1\ndef transform_fn(m, b, c, a): return b\n")
    body = io.BytesIO(bytes(range(256)) * 40_000).getvalue()
    assert server.invoke(body, "application/octet-stream")[1] == body
