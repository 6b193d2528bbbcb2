"""What control answers of hooks: to the command line, and to the edge."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from clary.control.hooks import RUNS, Hooks
from clary.errors import AWSError, ValidationError
from clary.hooks.published import for_secret
from clary.identity.sealed_text import TextSealer
from clary.lifecycles.hook_run import DELIVERY_KIND, KIND, SUCCEEDED
from clary.settings import Settings
from clary.store import Key, Row, Store

NOW = datetime(2024, 1, 1, tzinfo=UTC)
ROLE = "arn:aws:iam::000000000000:role/Role"
ASKED = {
    "name": "heights",
    "repository": "https://git.example.org/heights.git",
    "branch": "main",
    "folder": "program",
    "requirements": "",
    "python": "",
    "image": "heights",
    "role": ROLE,
    "steps": {},
    "token": "t0k",
    "local": False,
}
PUSH = {"name": "heights", "id": "72d3162e", "digest": "d" * 64, "commit": "c" * 40, "by": "ada"}


class Controllers:
    """Remembers who was woken and what was done."""

    def __init__(self):
        self.woken = []
        self.removed = []
        self.published = 0
        self.hooks = self

    def wake(self, key):
        self.woken.append(key.name)

    def publish(self):
        self.published += 1

    def remove(self, hook, key):
        self.removed.append(hook.name)


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "clary.db")
    role = Row(Key("role", "000000000000", "", "Role"), ROLE, "", NOW, NOW, {})
    opened.write(lambda transaction: transaction.insert(role))
    yield opened
    opened.close()


@pytest.fixture
def controllers():
    return Controllers()


@pytest.fixture
def hooks(tmp_path, store, controllers):
    return Hooks(Settings(data_dir=tmp_path), store, controllers)


def test_a_hook_is_kept_without_its_secrets_in_the_clear(tmp_path, hooks, store, controllers):
    added = hooks.add(ASKED)
    [row] = store.read.rows("hook")
    assert added["secret"] not in str(row.spec)
    assert "t0k" not in str(row.spec)
    assert TextSealer.of(tmp_path).open(row.spec["secret"], for_secret("heights")) == added["secret"]
    assert controllers.published == 1
    shown = hooks.show({"name": "heights"})
    assert (shown["image"], shown["token"]) == ("heights:latest", True)
    assert "secret" not in shown


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"name": "../heights"}, "no name of a hook"),
        ({"name": "h" * 41}, "no name of a hook"),
        ({"folder": "../.."}, "no path within the repository"),
        ({"requirements": "/etc/passwd"}, "no path within the repository"),
        ({"image": "Heights!"}, "no name of an image"),
        ({"role": "Role"}, "no ARN of a role"),
        ({"role": ROLE + "2"}, "There is no role"),
        ({"python": "3"}, "no version of Python"),
        ({"branch": "-x"}, "no name of a branch"),
        ({"repository": "/srv/heights.git", "token": ""}, "--allow-local"),
        ({"steps": {"CreateEndpoint": {}}}, "EndpointName"),
    ],
    ids=range(11),
)
def test_what_cannot_work_is_refused_at_once(hooks, store, change, why):
    with pytest.raises(ValidationError, match=why):
        hooks.add({**ASKED, **change})
    assert store.read.rows("hook") == []


def test_a_name_is_taken_once(hooks):
    hooks.add(ASKED)
    with pytest.raises(ValidationError, match="There is a hook heights already"):
        hooks.add(ASKED)


def test_a_delivery_is_a_run_and_the_hook_is_woken(hooks, controllers):
    hooks.add(ASKED)
    assert hooks.deliver(PUSH) == {"run": 1, "status": "Queued"}
    [run] = hooks.show({"name": "heights"})["runs"]
    assert (run["cause"], run["by"], run["pushed"]) == ("push", "ada", "c" * 40)
    assert controllers.woken == ["heights"]


@pytest.mark.parametrize("change", [{"id": "another"}, {"digest": "e" * 64}], ids=["same-body", "same-id"])
def test_what_was_delivered_before_makes_no_run(hooks, store, change):
    hooks.add(ASKED)
    hooks.deliver(PUSH)
    with pytest.raises(AWSError, match="it is run 1") as refused:
        hooks.deliver({**PUSH, **change})
    assert refused.value.status == 409
    assert len(store.read.rows(KIND)) == 1
    assert hooks.deliver({**PUSH, "id": "new", "digest": "f" * 64})["run"] == 2


def test_forges_without_ids_are_told_apart_by_their_bodies(hooks):
    hooks.add(ASKED)
    assert hooks.deliver({**PUSH, "id": ""})["run"] == 1
    assert hooks.deliver({**PUSH, "id": "", "digest": "e" * 64})["run"] == 2


def test_what_goes_with_a_hook(hooks, store, controllers):
    hooks.add(ASKED)
    hooks.deliver(PUSH)
    hooks.remove({"name": "heights"})
    assert [row for kind in ("hook", KIND, DELIVERY_KIND) for row in store.read.rows(kind)] == []
    assert controllers.removed == ["heights"]
    for ask in (hooks.show, hooks.run, hooks.remove):
        with pytest.raises(ValidationError, match="There is no hook heights"):
            ask({"name": "heights"})


def test_old_runs_are_forgotten_but_never_one_that_goes_on(hooks, store):
    hooks.add(ASKED)
    for _ in range(RUNS):
        hooks.run({"name": "heights"})
    hooks.run({"name": "heights"})
    assert len(store.read.rows(KIND)) == RUNS + 1
    ended = [run for run in store.read.rows(KIND) if run.spec["number"] in (1, 2)]
    for run in ended:
        store.write(lambda transaction, run=run: transaction.save(replace(run, status=SUCCEEDED)))
    hooks.run({"name": "heights"})
    assert [run["number"] for run in hooks.show({"name": "heights"})["runs"]][:1] == [3]
