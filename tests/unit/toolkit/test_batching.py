"""Requests that wait are computed together, and no answer shows it."""

import json
import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clary.toolkit.server import batching
from clary.toolkit.server.batching import Rows
from clary.toolkit.server.listener import Exchange, Listener
from clary.toolkit.server.message import Request, Response
from tests.running import wait_until
from tests.unit.toolkit.containers import answers_in, posted


class Doubles:
    """Rows of numbers; each is doubled. A row with a 13 is refused, and whatever is computed with it."""

    def __init__(self):
        self.computed = []

    def read(self, request):
        table = json.loads(request.body)
        return Rows(len(table[0]), len(table), table)

    def predict(self, data):
        self.computed.append(sum(map(len, data)))
        if any(13 in row for table in data for row in table):
            raise ValueError("unlucky")
        return [[[2 * cell for cell in row] for row in table] for table in data]

    def write(self, prediction, request):
        if request.headers.get("accept") == "none":
            raise ValueError("not acceptable")
        return Response(200, json.dumps(prediction).encode())

    def alone(self, request):
        try:
            return self.write(self.predict([self.read(request).data])[0], request)
        except (ValueError, LookupError, TypeError) as error:
            return Response(400, str(error).encode())


def asked(body, **headers):
    return Request("POST", "/invocations", headers, body if isinstance(body, bytes) else json.dumps(body).encode())


TABLES = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.lists(st.integers(11, 16), min_size=width, max_size=width), min_size=1, max_size=4)
)
REQUESTS = st.builds(asked, TABLES | st.sampled_from([b"", b"[]", b"nonsense"]), accept=st.sampled_from(["", "none"]))


@settings(deadline=None)
@given(st.lists(REQUESTS, max_size=12))
def test_every_answer_is_the_one_that_the_request_would_have_got_alone(requests):
    assert batching.answers(Doubles(), requests, Doubles().alone) == [Doubles().alone(each) for each in requests]


def test_requests_of_one_kind_are_computed_at_once_and_answered_in_order():
    model = Doubles()
    requests = [asked([[1, 2]]), asked([[3]]), asked([[4, 5], [6, 7]]), asked([[8]])]
    answers = batching.answers(model, requests, model.alone)
    assert [json.loads(answer.body) for answer in answers] == [[[2, 4]], [[6]], [[8, 10], [12, 14]], [[16]]]
    assert model.computed == [3, 2]


def test_a_bad_row_fails_alone():
    model = Doubles()
    answers = batching.answers(model, [asked([[1]]), asked([[13]]), asked([[2]])], model.alone)
    assert [answer.status for answer in answers] == [200, 400, 200]
    assert answers[1].body == b"unlucky"


def test_many_rows_are_computed_in_several_turns(monkeypatch):
    monkeypatch.setattr(batching, "MOST_ROWS", 3)
    model = Doubles()
    batching.answers(model, [asked([[place]]) for place in range(7)], model.alone)
    assert model.computed == [3, 3, 1]


def test_what_is_no_prediction_is_answered_by_itself():
    model = Doubles()
    other = Request("GET", "/execution-parameters", {}, b"")
    told = batching.answers(model, [asked([[1]]), other, asked([[2]])], lambda _: Response(404))
    assert [answer.status for answer in told] == [200, 404, 200]


@pytest.fixture
def listener():
    """One that nobody can reach; what waits in it is put there."""
    with socket.socket() as unused:
        made = Listener(unused, lambda _: None, 1000)
        yield made
        made._loop.close()


def waits(listener, *sizes):
    for size in sizes:
        listener.requests.put(Exchange(None, Request("POST", "/invocations", {}, b"x" * size), True))


def test_a_request_that_is_alone_waits_for_no_company(listener):
    waits(listener, 1)
    assert len(listener.take(256, 1000)) == 1


def test_what_waits_is_taken_within_bounds_and_in_order(listener):
    waits(listener, 1, 2, 3, 600, 600, 4)
    sizes = [[len(each.request.body) for each in listener.take(3, 1000)] for _ in range(3)]
    assert sizes == [[1, 2, 3], [600, 600], [4]]


def test_the_end_comes_after_what_was_taken(listener):
    waits(listener, 1)
    listener.requests.put(None)
    assert [len(listener.take(256, 1000)) for _ in range(2)] == [1, 0]


# the model server

GATED = """
import os, sys, time
import numpy as np
def model_fn(folder): return folder
def predict_fn(rows, model):
    rows = np.atleast_2d(rows)
    print("rows=%d" % len(rows), flush=True)
    while rows[0, 0] == 0 and not os.path.exists(os.path.join(model, "go")): time.sleep(0.005)
    if not np.isfinite(rows).all(): raise ValueError("no number")
    return rows.sum(axis=1)
"""

READS_INTO_ONE = """
ARRAY = np.zeros((1, 1))
def input_fn(body, content_type):
    ARRAY[0] = float(body)
    return ARRAY
"""

FOREST = """
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
def model_fn(folder):
    table = np.random.RandomState(0).uniform(-3, 3, (200, 3))
    target = (table.sum(axis=1) > 0).astype(int) + (table[:, 0] > 2)
    model = %s
    return model.fit(table, target)
"""
MODELS = {
    "forest": "RandomForestClassifier(12, random_state=0)",
    "logistic": "make_pipeline(StandardScaler(), LogisticRegression())",
}


@pytest.fixture
def host(opt, serve, sklearn_python):
    """Serves a script."""

    def start(text, **env):
        (opt.base / "model/code").mkdir(exist_ok=True)
        (opt.base / "model/code/inference.py").write_text(text)
        return serve(sklearn_python, **env)

    return start


def logged(server, text):
    return [line for line in server.lines if text in line]


def test_what_waits_while_the_model_computes_is_computed_next_and_together(host, opt):
    server = host(GATED, CLARY_BATCH="on")
    (opt.base / "model/go").touch()
    rows = ["0,0,0", "1,2,3", "4,5,6\n7,8,9", "nan,0,0", "1,2", "x,0,0"]
    one_by_one = [server.invoke(row, accept="application/json")[:2] for row in rows]
    (opt.base / "model/go").unlink()
    server.lines.clear()

    def release():
        # the first is being computed, and what came with it has been read: it was one piece
        wait_until(lambda: logged(server, "rows="), 60, "the first is being computed")
        (opt.base / "model/go").touch()

    gate = threading.Thread(target=release)
    gate.start()
    together = server.together([(row, "text/csv", "application/json") for row in rows])
    gate.join()
    assert [status for status, _ in together] == [200, 200, 200, 500, 200, 400]
    assert [body for status, body in together if status == 200] == [body for s, body in one_by_one if s == 200]
    most = lambda: max(int(line.partition("rows=")[2]) for line in logged(server, "rows="))  # noqa: E731
    wait_until(lambda: most() > 2, 60, "more rows are computed together than a request has")


def test_a_script_that_reads_into_the_same_array_each_time_mixes_up_no_answers(host, opt):
    server = host(GATED + READS_INTO_ONE, CLARY_BATCH="on")

    def release():
        wait_until(lambda: logged(server, "rows="), 60, "they are being computed")
        (opt.base / "model/go").touch()

    gate = threading.Thread(target=release)
    gate.start()
    answers = server.together([(str(number), "text/csv", "application/json") for number in range(4)])
    gate.join()
    assert answers == [(200, b"[%d.0]" % number) for number in range(4)]
    assert len(logged(server, "rows=")) < 4, "some of them together"


def test_the_users_own_functions_are_asked_request_by_request(host, opt):
    server = host(GATED)
    (opt.base / "model/go").touch()
    server.raw(b"".join(posted(b"1,2,3") for _ in range(5)))
    wait_until(lambda: len(logged(server, "rows=1")) == 5, 60, "five were asked")


ROWS = st.lists(
    st.lists(st.floats(-4, 4, width=32) | st.just(float("nan")), min_size=3, max_size=3), min_size=1, max_size=3
)


ODD = st.sampled_from([
    *("1,2,3\n", "\n1,2,3", "1,2\n,3", '"1",2,3', " 1 ,2,3\r\n", "1,2,3\x0b", "1\x1c,2,3", "\x851,2,3", "1\x0c2,2,3"),
    *("1,2,inf", "-0,2e-400,3e38", "1_0,2,3", "\u0661,2,3", "5", "", ",", "1,2,3,", "1;2;3"),
    *("nan,nan,nan", "1,2", "1,2,3,4"),
])  # fmt: skip
"""Bodies of CSV that are one line, or look like it."""


def body_of(rows, content_type):
    if isinstance(rows, str):
        return rows.encode()
    if content_type == "application/json":
        return json.dumps(rows).encode()
    return "\n".join(",".join(map(str, row)) for row in rows).encode()


@pytest.mark.parametrize("model", MODELS)
def test_scikit_learns_answers_are_the_same_to_the_byte(host, model):
    server = host(FOREST % MODELS[model])
    kinds = st.sampled_from(["text/csv", "application/json"])
    accepts = st.sampled_from(["application/json", "text/csv", "application/x-npy", "image/png"])

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(ROWS | ODD, kinds, accepts), min_size=2, max_size=12))
    def check(asked_for):
        bodies = [(body_of(rows, kind), kind, accept) for rows, kind, accept in asked_for]
        alone = [server.invoke(body, kind, accept=accept)[:2] for body, kind, accept in bodies]
        together = server.together(bodies)
        assert [status for status, _ in together] == [status for status, _ in alone]
        good = [place for place, (status, _) in enumerate(alone) if status == 200]
        assert [together[place] for place in good] == [alone[place] for place in good]

    check()
    wait_until(lambda: logged(server, "Requests that wait are computed together."), 60, "they were")


def test_a_model_whose_rows_depend_on_each_other_is_found_out(host):
    script = """
import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
def model_fn(folder):
    table = np.arange(60.0).reshape(20, 3)
    sums = FunctionTransformer(np.cumsum, kw_args={"axis": 0})
    return make_pipeline(sums, LinearRegression()).fit(table, table[:, 0])
"""
    server = host(script)
    alone = [server.invoke(f"{place},2,3")[:2] for place in range(6)]
    assert server.together([(f"{place},2,3", "text/csv", "application/json") for place in range(6)]) == alone
    assert not logged(server, "computed together")


def test_the_first_answer_says_that_requests_may_be_pipelined(host):
    server = host(GATED)
    answers = server.raw(posted(b"1,2,3") + posted(b"1,2,3"))
    assert answers.count(b"x-clary-pipelined: 128") == 1


def test_workers_that_share_a_port_are_not_pipelined(host):
    server = host(GATED, SAGEMAKER_MODEL_SERVER_WORKERS="2")
    assert b"x-clary-pipelined" not in server.raw(posted(b"1,2,3"))


def test_a_server_that_ends_answers_all_that_waits_on_a_connection(host, opt):
    server = host(GATED)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"".join(posted(row) for row in (b"0,0,0", b"1,2,3", b"4,5,6")))
        wait_until(lambda: logged(server, "rows=1"), 60, "the first is being computed")
        server.process.terminate()
        (opt.base / "model/go").touch()
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answers_in(answers) == [(200, b"[0.0]"), (200, b"[6.0]"), (200, b"[15.0]")]
    assert server.process.wait(60) == 0
