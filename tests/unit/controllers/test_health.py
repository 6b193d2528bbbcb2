"""The /ping gate over real sockets: when a container counts as up, and when it counts as gone."""

from __future__ import annotations

import http.server
import queue
import socket
import threading

import pytest

from clary.controllers import health
from clary.controllers.health import HealthGate
from clary.serving.client import PIPELINED
from clary.store.rows import Key

ENDPOINT = Key("endpoint", "000000000000", "us-east-1", "e")
SECONDS = 60


class Ping(http.server.BaseHTTPRequestHandler):
    """Answers as its server says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.release()
        self.server.free.wait(SECONDS)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        for name, value in self.server.says.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """A container's model server whose answers the test decides."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Ping)
        self.status, self.free, self.asked = 200, threading.Event(), threading.Semaphore(0)
        self.says, self.connections = {}, 0
        self.free.set()

    def process_request(self, request, client_address):
        self.connections += 1
        super().process_request(request, client_address)

    def asked_times(self, number):
        for _ in range(number):
            assert self.asked.acquire(timeout=SECONDS)


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.free.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def woken():
    return queue.Queue()


@pytest.fixture
def gate(server, woken, monkeypatch):
    monkeypatch.setattr(health, "WATCH_PAUSE", 0.01)
    monkeypatch.setattr(health, "SILENT_SECONDS", 0.3)

    def dial(_container):
        connected = socket.create_connection(server.server_address)
        connected.setblocking(False)
        return connected

    made = HealthGate(dial, woken.put)
    yield made
    made.close()


def test_a_container_is_healthy_once_it_answers_200(gate, server, woken):
    server.status = 503
    gate.probe("c", ENDPOINT)
    server.asked_times(3)
    assert not gate.healthy("c")
    server.status = 200
    assert woken.get(timeout=SECONDS) == ENDPOINT
    assert gate.healthy("c")


def test_a_container_in_service_is_asked_again_and_again(gate, server, woken, monkeypatch):
    monkeypatch.setattr(health, "SILENT_SECONDS", SECONDS)
    gate.watch("c", ENDPOINT)
    gate.watch("c", ENDPOINT)
    server.asked_times(20)
    assert not gate.silent("c")
    assert woken.empty()


def test_a_server_that_takes_several_requests_at_once_is_asked_by_one_connection(gate, server, monkeypatch):
    monkeypatch.setattr(health, "SILENT_SECONDS", SECONDS)
    server.says = {PIPELINED: "128"}
    gate.watch("c", ENDPOINT)
    server.asked_times(10)
    assert server.connections == 1


def test_any_other_server_is_asked_by_a_connection_each_time(gate, server, monkeypatch):
    monkeypatch.setattr(health, "SILENT_SECONDS", SECONDS)
    gate.watch("c", ENDPOINT)
    server.asked_times(5)
    assert server.connections >= 5


def test_a_kept_connection_that_its_server_closes_is_made_anew(gate, server, woken, monkeypatch):
    monkeypatch.setattr(health, "SILENT_SECONDS", SECONDS)
    server.says = {PIPELINED: "128", "Connection": "close"}
    gate.watch("c", ENDPOINT)
    server.asked_times(5)
    server.says = {PIPELINED: "128"}
    server.asked_times(5)
    assert not gate.silent("c")
    assert woken.empty()


def test_a_container_that_hangs_on_a_kept_connection_is_silent(gate, server, woken):
    server.says = {PIPELINED: "128"}
    gate.watch("c", ENDPOINT)
    server.asked_times(2)
    server.free.clear()
    assert woken.get(timeout=SECONDS) == ENDPOINT
    assert gate.silent("c")


def test_a_container_that_hangs_is_silent(gate, server, woken):
    gate.watch("c", ENDPOINT)
    server.asked_times(2)
    server.free.clear()
    assert woken.get(timeout=SECONDS) == ENDPOINT
    assert gate.silent("c")
    gate.forget("c")
    assert not gate.silent("c")


def test_a_container_that_answers_nothing_but_errors_is_silent(gate, server, woken):
    gate.watch("c", ENDPOINT)
    server.asked_times(1)
    server.status = 500
    assert woken.get(timeout=SECONDS) == ENDPOINT
    assert gate.silent("c")


def test_a_container_that_recovers_is_not_silent(gate, server, woken, monkeypatch):
    monkeypatch.setattr(health, "SILENT_SECONDS", SECONDS)
    gate.watch("c", ENDPOINT)
    server.status = 500
    server.asked_times(5)
    server.status = 200
    server.asked_times(3)
    monkeypatch.setattr(health, "SILENT_SECONDS", 0.5)
    server.asked_times(5)
    assert not gate.silent("c")


def test_a_server_that_is_busy_for_a_while_is_not_silent(gate, server, woken, monkeypatch):
    monkeypatch.setattr(health, "SILENT_SECONDS", SECONDS)
    gate.watch("c", ENDPOINT)
    server.asked_times(1)
    server.free.clear()
    server.asked_times(1)
    server.free.set()
    server.asked_times(5)
    assert not gate.silent("c")


def test_what_is_forgotten_is_asked_no_more(gate, server, woken):
    gate.watch("c", ENDPOINT)
    server.asked_times(1)
    server.free.clear()
    gate.forget("c")
    server.status = 500
    server.free.set()
    gate.probe("d", ENDPOINT)
    server.asked_times(3)
    assert not gate.silent("c")
