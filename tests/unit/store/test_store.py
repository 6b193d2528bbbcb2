"""The store: what is written is there, whole or not at all, whoever else writes."""

from __future__ import annotations

import base64
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from clary.errors import ClaryError
from clary.store import AlreadyExists, Key, Query, Reader, Row, Stale, Store
from clary.store import schema as store_schema
from clary.store.filesystem import filesystem_type, refuse_network
from clary.store.paging import successor

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def row(name, *, kind="model", minutes=0, status="", region="us-east-1", parent="", **spec):
    key = Key(kind, "000000000000", region, name)
    made = START + timedelta(minutes=minutes)
    arn = f"arn:aws:sagemaker:{region}:000000000000:{kind}/{name.lower()}"
    return Row(key, arn, status, made, made, spec, parent=parent)


def put(store, *rows):
    return store.write(lambda tx: [tx.insert(each) for each in rows])


def query(**fields):
    return Query(**({"kind": "model", "account": "000000000000", "region": "us-east-1"} | fields))


def names(page):
    return [each.key.name for each in page.rows]


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "clary.db")
    yield store
    store.close()


def test_a_row_comes_back_as_it_was_written(store):
    written = row("a", minutes=3, status="InService", nested={"x": [1, 2.5, None, "ä\u0000\U0001f600"]})
    [stored] = put(store, written)
    assert stored == replace(written, version=1)
    assert store.read.get(written.key) == stored
    assert store.read.by_arn(written.arn) == stored
    assert store.read.get(replace(written.key, name="A")) is None
    assert store.read.by_arn("arn:aws:s3:::x") is None


def test_a_name_is_taken_once_and_per_kind_and_region(store):
    put(store, row("a"), row("a", kind="endpoint"), row("a", region="eu-west-1"))
    with pytest.raises(AlreadyExists):
        put(store, row("a"))
    assert store.read.count("model", "000000000000", "us-east-1") == 1


def test_saving_what_someone_else_has_changed_is_refused(store):
    [first] = put(store, row("a"))
    second = store.write(lambda tx: tx.save(replace(first, status="InService")))
    assert second.version == 2
    with pytest.raises(Stale):
        store.write(lambda tx: tx.save(replace(first, status="Failed")))
    assert store.read.get(first.key) == second


def test_saving_or_deleting_what_is_gone_is_refused(store):
    [first] = put(store, row("a"))
    with pytest.raises(Stale):
        store.write(lambda tx: tx.delete(first.key, version=7))
    assert store.write(lambda tx: tx.delete(first.key, version=1)) is True
    assert store.write(lambda tx: tx.delete(first.key)) is False
    with pytest.raises(Stale):
        store.write(lambda tx: tx.save(first))
    with pytest.raises(Stale):
        store.write(lambda tx: tx.delete(first.key, version=1))


def test_a_change_that_raises_leaves_nothing_behind(store):
    def fails(tx):
        tx.insert(row("a"))
        tx.set_tags("arn", {"k": "v"})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write(fails)
    assert store.read.get(row("a").key) is None
    assert store.read.tags("arn") == {}


def test_a_change_that_raises_does_not_take_its_neighbours_with_it(store):
    gate, begun = threading.Event(), threading.Event()

    def hold(tx):
        begun.set()
        gate.wait(60)

    with ThreadPoolExecutor(8) as pool:
        held = pool.submit(store.write, hold)
        begun.wait(60)
        good = [pool.submit(put, store, row(f"m{n}")) for n in range(3)]
        bad = pool.submit(store.write, lambda tx: (tx.insert(row("bad")), 1 / 0))
        more = [pool.submit(put, store, row(f"n{n}")) for n in range(3)]
        gate.set()
        held.result(60)
        [each.result(60) for each in good + more]
        with pytest.raises(ZeroDivisionError):
            bad.result(60)
    assert sorted(names(store.read.page(query()))) == ["m0", "m1", "m2", "n0", "n1", "n2"]


def test_many_threads_that_count_up_lose_no_step(store):
    [first] = put(store, row("counter", n=0))

    def step(_):
        def change(tx):
            now = tx.get(first.key)
            return tx.save(replace(now, spec={"n": now.spec["n"] + 1}))

        return store.write(change).version

    with ThreadPoolExecutor(16) as pool:
        versions = list(pool.map(step, range(200)))
    assert sorted(versions) == list(range(2, 202))
    assert store.read.get(first.key).spec == {"n": 200}


def test_a_disk_that_is_full_is_told_to_everyone_in_the_group(store):
    """SQLite rolls the whole transaction back by itself; nobody may be told that his change is safe."""
    gate, begun = threading.Event(), threading.Event()

    def hold(tx):
        begun.set()
        gate.wait(60)

    def roll_back(tx):
        tx._connection.exec_driver_sql("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    with ThreadPoolExecutor(8) as pool:
        held = pool.submit(store.write, hold)
        begun.wait(60)
        before = pool.submit(put, store, row("before"))
        while store._writer._waiting.qsize() < 1:
            threading.Event().wait(0.001)
        failing = pool.submit(store.write, roll_back)
        while store._writer._waiting.qsize() < 2:
            threading.Event().wait(0.001)
        after = pool.submit(put, store, row("after"))
        while store._writer._waiting.qsize() < 3:
            threading.Event().wait(0.001)
        gate.set()
        held.result(60)
        outcomes = [each.exception(60) for each in (before, failing, after)]
    assert all(isinstance(outcome, (sqlite3.OperationalError, OperationalError)) for outcome in outcomes), outcomes
    assert names(store.read.page(query())) == []
    put(store, row("again"))
    assert names(store.read.page(query())) == ["again"]


def test_a_change_within_a_change_is_refused_instead_of_waiting_for_ever(store):
    with pytest.raises(RuntimeError, match="transaction"):
        store.write(lambda tx: store.write(lambda inner: None))


def test_a_closed_store_refuses_writes_and_opens_again(tmp_path):
    store = Store(tmp_path / "clary.db")
    put(store, row("a"))
    store.close()
    store.close()
    with pytest.raises(RuntimeError, match="closed"):
        put(store, row("b"))
    again = Store(tmp_path / "clary.db")
    assert names(again.read.page(query())) == ["a"]
    again.close()


def test_readers_cannot_write(store):
    with store.read._engine.connect() as connection, pytest.raises(OperationalError, match="readonly"):
        connection.exec_driver_sql("DELETE FROM resource")


def test_tags_are_set_replaced_and_removed_and_go_with_their_resource(store):
    [stored] = put(store, row("a"))
    store.write(lambda tx: tx.set_tags(stored.arn, {"b": "1", "a": ""}))
    store.write(lambda tx: tx.set_tags(stored.arn, {"b": "2"}))
    assert store.read.tags(stored.arn) == {"a": "", "b": "2"}
    store.write(lambda tx: tx.remove_tags(stored.arn, ["a", "missing"]))
    assert store.read.tags(stored.arn) == {"b": "2"}
    store.write(lambda tx: tx.delete(stored.key))
    assert store.read.tags(stored.arn) == {}


def test_rows_of_a_kind_by_status_over_all_accounts(store):
    put(
        store,
        row("a", status="Creating"),
        row("b", status="Failed", region="eu-west-1", minutes=1),
        row("c", minutes=2),
    )
    assert [each.key.name for each in store.read.rows("model")] == ["a", "b", "c"]
    assert [each.key.name for each in store.read.rows("model", ["Failed", "Creating"])] == ["a", "b"]
    assert store.read.rows("model", []) == []


@pytest.mark.parametrize("sort_by", ["created", "modified", "name", "status"])
@pytest.mark.parametrize("descending", [True, False])
def test_pages_put_together_are_the_whole_list_in_order(store, sort_by, descending):
    put(store, *(row(f"m{n % 7}{n}", minutes=n // 4, status="AB"[n % 2]) for n in range(23)))
    whole = store.read.page(query(sort_by=sort_by, descending=descending, limit=100))
    assert whole.token is None
    collected, token = [], None
    while True:
        page = store.read.page(query(sort_by=sort_by, descending=descending, limit=5, token=token))
        collected += page.rows
        token = page.token
        if token is None:
            break
    assert collected == list(whole.rows)
    keys = [(getattr(r, sort_by, None) or r.key.name, r.key.name) for r in collected]
    assert keys == sorted(keys, reverse=descending)


def test_a_last_page_that_is_exactly_full_has_no_token(store):
    put(store, *(row(f"m{n}") for n in range(4)))
    first = store.read.page(query(limit=2))
    assert store.read.page(query(limit=2, token=first.token)).token is None


def test_rows_made_and_deleted_between_pages_neither_repeat_nor_hide_others(store):
    put(store, *(row(f"m{n}", minutes=n) for n in range(6)))
    first = store.read.page(query(limit=3))
    put(store, row("new", minutes=99))
    store.write(lambda tx: tx.delete(first.rows[-1].key))
    second = store.read.page(query(limit=3, token=first.token))
    assert names(first) + names(second) == ["m5", "m4", "m3", "m2", "m1", "m0"]


def test_filters(store):
    put(store, *(row(f"train-{n}", minutes=n, status="AB"[n % 2], parent="x" if n < 2 else "") for n in range(6)))
    put(store, row("other_%"))
    at = START + timedelta(minutes=2)
    ask = lambda **fields: sorted(names(store.read.page(query(**fields))))  # noqa: E731
    assert ask(name_contains="rain-3") == ["train-3"]
    assert ask(name_contains="RAIN") == []
    assert ask(name_contains="%") == ["other_%"]
    assert ask(name_prefix="train-") == [f"train-{n}" for n in range(6)]
    assert ask(created_after=at) == ["train-3", "train-4", "train-5"]
    assert ask(created_before=at) == ["other_%", "train-0", "train-1"]
    assert ask(modified_after=at, modified_before=at + timedelta(minutes=2)) == ["train-3"]
    assert ask(statuses=("A",), name_prefix="t") == ["train-0", "train-2", "train-4"]
    assert ask(statuses=()) == []
    assert ask(parent="x") == ["train-0", "train-1"]
    assert ask(region="eu-west-1") == []


def test_names_are_ordered_bytewise(store):
    put(store, *(row(name) for name in ["b", "B", "a-1", "a1", "ä", "_", "\U0001f600"]))
    listed = names(store.read.page(query(sort_by="name", descending=False)))
    assert listed == sorted(listed, key=str.encode)


DEEP = base64.urlsafe_b64encode(b"[" * 50_000).decode()


@pytest.mark.parametrize("token", ["", "x", "AAAA", "bm90IGpzb24", "W10", "é", "eyJhIjoxfQ", DEEP])
def test_a_token_that_we_never_gave_is_refused(store, token):
    with pytest.raises(ValueError, match="token"):
        store.read.page(query(token=token))


@pytest.mark.parametrize("time", [2**63, -(2**63) - 1, 10**400])
def test_a_token_of_a_time_that_no_database_knows_is_refused(store, time):
    put(store, row("m0"), row("m1"))
    token = store.read.page(query(limit=1)).token
    said, _, name = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    forged = base64.urlsafe_b64encode(json.dumps([said, time, name]).encode()).decode()
    with pytest.raises(ValueError, match="token"):
        store.read.page(query(token=forged))


def test_a_token_of_another_query_is_refused(store):
    put(store, *(row(f"m{n}") for n in range(3)))
    token = store.read.page(query(limit=1)).token
    assert store.read.page(query(limit=2, token=token)).rows
    for other in ({"sort_by": "name"}, {"name_contains": "m"}, {"region": "eu-west-1"}, {"descending": False}):
        with pytest.raises(ValueError, match="another query"):
            store.read.page(query(token=token, **other))


def test_successor_is_above_all_with_the_prefix_and_not_above_the_next():
    assert successor("ab") == "ac"
    assert successor("a\U0010ffff") == "b"
    assert successor("\U0010ffff") is None
    assert successor("\ud7ff") == "\ue000"


def test_what_was_acknowledged_outlives_kill_9(tmp_path):
    program = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from clary.store import Key, Row, Store
store = Store(Path(sys.argv[1]))
now = datetime.now(UTC)
for n in range(100_000):
    store.write(lambda tx: tx.insert(Row(Key("model", "0", "r", str(n)), "arn", "", now, now, {})))
    print(n, flush=True)
"""
    database = tmp_path / "clary.db"
    child = subprocess.Popen([sys.executable, "-c", program, str(database)], stdout=subprocess.PIPE, text=True)
    seen = [int(child.stdout.readline()) for _ in range(20)]
    os.kill(child.pid, signal.SIGKILL)
    seen += [int(line) for line in child.stdout.read().splitlines()]
    child.wait()
    reader = Reader(database)
    assert all(reader.get(Key("model", "0", "r", str(n))) for n in seen)
    reader.close()


def test_a_database_of_a_newer_clary_is_refused(tmp_path):
    Store(tmp_path / "clary.db").close()
    with sqlite3.connect(tmp_path / "clary.db") as connection:
        connection.execute("INSERT INTO migration VALUES (99, 0)")
    with pytest.raises(ClaryError, match="newer Clary"):
        Store(tmp_path / "clary.db")


def test_only_steps_that_are_missing_are_applied(tmp_path, monkeypatch):
    Store(tmp_path / "clary.db").close()
    applied = []
    monkeypatch.setattr(store_schema, "MIGRATIONS", (*store_schema.MIGRATIONS, applied.append))
    Store(tmp_path / "clary.db").close()
    Store(tmp_path / "clary.db").close()
    assert len(applied) == 1
    Store(tmp_path / "new.db").close()
    assert len(applied) == 1


def test_what_had_one_container_before_has_a_tuple_of_one(tmp_path):
    """As version 1 of the database wrote an endpoint that was being updated, and a transform job."""
    definition = {"Image": "i", "Mode": "SingleModel"}
    replica = {"container": "c", "log_stream": "v/i-0c", "ready": True, "restarts": 2}
    served = {"config": "one", "variants": [{"name": "v", "container_definition": definition, "replicas": [replica]}]}
    coming = {"config": "two", "variants": [{"name": "v", "container_definition": definition, "replicas": []}]}
    job = {"container_definition": definition, "containers": ["d"], "log_streams": ["t/i-0d-1"]}
    store = Store(tmp_path / "clary.db")
    key, transform = Key("endpoint", "0", "r", "e"), Key("transform-job", "0", "r", "t")
    put(store, replace(row("e"), key=key, arn="e", state={"current": served, "next": coming}))
    put(store, replace(row("f"), key=replace(key, name="f"), arn="f", state={"current": None, "next": None}))
    put(store, replace(row("t"), key=transform, arn="t", state=job))
    store.close()
    with sqlite3.connect(tmp_path / "clary.db") as connection:
        connection.execute("DELETE FROM migration WHERE number >= 2")
    store = Store(tmp_path / "clary.db")
    found = store.read.get(key).state
    assert found["current"]["variants"] == [
        {"name": "v", "container_definitions": [definition], "replicas": [{"members": [{**replica, "position": 0}]}]}
    ]
    assert found["next"]["variants"] == [{"name": "v", "container_definitions": [definition], "replicas": []}]
    assert store.read.get(transform).state == {
        "container_definitions": [definition],
        "containers": ["d"],
        "log_streams": ["t/i-0d-1"],
    }
    assert store.read.get(replace(key, name="f")).state == {"current": None, "next": None}
    store.close()


def test_a_network_file_system_is_refused():
    mounts = (
        "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
        "40 22 0:35 / /home rw shared:9 - nfs4 server:/home rw\n"
        "41 40 0:36 / /home/me/my\\040disk rw - xfs /dev/sdb rw\n"
    )
    assert filesystem_type(Path("/home/you/.clary"), mounts) == "nfs4"
    assert filesystem_type(Path("/homely"), mounts) == "ext4"
    assert filesystem_type(Path("/home/me/my disk/x"), mounts) == "xfs"
    assert filesystem_type(Path("/x"), "") == ""
    with pytest.raises(ClaryError, match="nfs4"):
        refuse_network(Path("/home/you/.clary/clary.db"), mounts)


def test_the_database_is_its_owners_alone(tmp_path):
    Store(tmp_path / "clary.db").close()
    assert (tmp_path / "clary.db").stat().st_mode & 0o077 == 0


def test_waiting_for_a_row_ends_with_the_change_or_with_the_time(store):
    [first] = put(store, row("a"))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(store.wait, first.key, lambda seen: seen.status == "InService", 10)
        store.write(lambda tx: tx.save(replace(first, status="InService")))
        assert waiting.result(60).status == "InService"
    assert store.wait(first.key, lambda seen: seen is None, 0.01).version == 2
    store.write(lambda tx: tx.delete(first.key))
    assert store.wait(first.key, lambda seen: seen is None, 10) is None


def test_an_older_database_gets_the_index_of_lists_by_status(tmp_path):
    Store(tmp_path / "clary.db").close()
    with sqlite3.connect(tmp_path / "clary.db") as connection:
        connection.execute("DROP INDEX resource_ordered_by_status")
        connection.execute("DELETE FROM migration WHERE number >= 3")
    Store(tmp_path / "clary.db").close()
    with sqlite3.connect(tmp_path / "clary.db") as connection:
        named = "SELECT count(*) FROM sqlite_master WHERE name = 'resource_ordered_by_status'"
        assert connection.execute(named).fetchone() == (1,)


def test_a_page_that_is_sifted_goes_on_where_it_ended(tmp_path):
    store = Store(tmp_path / "clary.db")
    for number in range(7):
        put(store, row(f"r{number}"))

    def even(found):
        return int(found.key.name[1:]) % 2 == 0

    key = row("r0").key
    query = Query(key.kind, key.account, key.region, sort_by="name", descending=False, limit=3)
    first = store.read.page(query, even)
    last = store.read.page(replace(query, token=first.token), even)
    assert [found.key.name for found in (*first.rows, *last.rows)] == ["r0", "r2", "r4", "r6"]
    assert (first.token is None, last.token) == (False, None)
    store.close()
