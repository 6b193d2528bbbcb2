"""A run whose control dies after every single effect, and so before the next: it makes nothing twice."""

from __future__ import annotations

from datetime import UTC, datetime

from clary.calls import account_root
from clary.controllers.activities import Done, Pending
from clary.controllers.hook_effects import HookController
from clary.controllers.logs import Logs
from clary.errors import AWSError, ValidationError
from clary.hooks.hook import hook_key
from clary.hooks.repository import Commit
from clary.lifecycles.hook_run import ACTIVE, BUILDING, KIND, LIFECYCLE, QUEUED, SKIPPED, SUCCEEDED
from clary.settings import Settings
from clary.store import Key, Row, Store

NOW = datetime(2024, 1, 1, tzinfo=UTC)
ACCOUNT, REGION = "000000000000", "us-east-1"
KEY = hook_key(ACCOUNT, REGION, "heights")
SPEC = {
    "repository": "https://example.org/h.git",
    "branch": "main",
    "folder": ".",
    "requirements": "",
    "python": "",
    "image": "heights:latest",
    "role": "arn:aws:iam::000000000000:role/Role",
    "steps": {
        "CreateTrainingJob": {"OutputDataConfig": {"S3OutputPath": "s3://b/o"}},
        "CreateEndpoint": {"EndpointName": "live"},
    },
    "secret": "",
    "token": "",
    "local": False,
}
MOST_EFFECTS = 200


HOOK = Row(KEY, "arn", ACTIVE, NOW, NOW, SPEC, {"runs": 1})


class KilledControl(BaseException):
    """`kill -9`: nothing catches it."""


class Fate:
    """Kills control after its nth effect; 0: never."""

    def __init__(self, at: int) -> None:
        self.left = at

    def around(self, effect):
        self.left -= 1
        done = effect()
        if self.left == 0:
            raise KilledControl
        return done


class SageMakerThatRefusesTwice:
    """Jobs are done as soon as they are looked at; a name is taken once."""

    def __init__(self) -> None:
        self.made: dict[tuple[str, str], dict] = {}

    def __call__(self, call):
        if call.service == "logs":
            return {}
        verb, noun = next((v, call.operation.removeprefix(v)) for v in VERBS if call.operation.startswith(v))
        name = (noun, call.params[f"{noun}Name"])
        if verb == "Describe":
            if name not in self.made:
                raise ValidationError(f'Could not find {noun} "{name[1]}".')
            return {**self.made[name], **DESCRIBED.get(noun, {})}
        if verb == "Create" and name in self.made:
            raise AWSError("ResourceInUse", f"{name} is there")
        self.made[name] = dict(call.params)
        return {}


VERBS = ("Describe", "Create", "Update")
DESCRIBED = {
    "TrainingJob": {"TrainingJobStatus": "Completed", "ModelArtifacts": {"S3ModelArtifacts": "s3://b/o/m.tar.gz"}},
    "Endpoint": {"EndpointStatus": "InService"},
}


class Workload:
    """Fetches and builds at once."""

    def __init__(self, folder) -> None:
        self.folder = folder

    def fetch(self, *_):
        return Commit("c" * 40, "subject")

    def build(self, *_):
        return "000000000000.dkr.ecr.us-east-1.amazonaws.com/heights:git-cccccccccccc"

    def log_file(self, _hook, stream):
        return self.folder / stream

    def clear(self, *_):
        pass

    def sweep(self, _wanted):
        pass


class Activities:
    """Does everything at once; forgets with its process."""

    def __init__(self) -> None:
        self.outcomes = {}

    def outcome(self, key, name):
        return self.outcomes.get((key, name))

    def begin(self, key, name, work, *, builds=False):
        self.outcomes[key, name] = Done(work(lambda: False))

    def forget(self, key, name=None):
        for known in [known for known in self.outcomes if name in (None, known[1])]:
            del self.outcomes[known]


class DyingStore:
    """A store whose user may die at each write."""

    def __init__(self, store, fate) -> None:
        self.read = store.read
        self._store = store
        self._fate = fate

    def write(self, change):
        return self._fate.around(lambda: self._store.write(change))


def control(tmp_path, store, invoke, activities):
    """A new one."""
    return HookController(
        Settings(data_dir=tmp_path),
        store,
        Workload(tmp_path),
        activities,
        Logs(invoke),
        invoke,
        lambda _role, _session: account_root(ACCOUNT),
    )


def live(tmp_path, store, sagemaker, fate):
    """One control, until it has nothing to do, or dies."""
    invoke = lambda call: fate.around(lambda: sagemaker(call))  # noqa: E731
    controller = control(tmp_path, DyingStore(store, fate), invoke, Activities())
    for key in controller.resume():
        for _ in range(10):
            controller.reconcile(key)


def run_row(number, status=QUEUED):
    key = Key(KIND, ACCOUNT, REGION, f"heights/{number:09}")
    spec = {"number": number, "cause": "by hand", "by": "", "pushed": ""}
    return Row(key, "arn", status, NOW, NOW, spec, {"times": {}}, parent="heights")


def ended_after_dying_at(at, tmp_path, sagemaker):
    """Whether control lived until it had nothing more to do; the run as it is then."""
    store = Store(tmp_path / f"{at}.db")
    run = run_row(1).key
    store.write(lambda t: [t.insert(row) for row in (HOOK, run_row(1))])
    died = False
    try:
        live(tmp_path, store, sagemaker, Fate(at))
    except KilledControl:
        died = True
        live(tmp_path, store, sagemaker, Fate(0))
    found = store.read.get(run)
    store.close()
    return died, found


def test_killed_after_every_effect_it_ends_well_and_makes_nothing_twice(tmp_path):
    for at in range(1, MOST_EFFECTS):
        sagemaker = SageMakerThatRefusesTwice()
        died, run = ended_after_dying_at(at, tmp_path, sagemaker)
        assert (at, run.status, run.state.get("reason")) == (at, SUCCEEDED, None)
        name = run.state["unique"]
        made = {("TrainingJob", name), ("Model", name), ("EndpointConfig", name), ("Endpoint", "live")}
        assert set(sagemaker.made) == made
        if not died:
            break
    assert not died
    assert at > 10
    assert LIFECYCLE.terminal(run.status)


def test_a_push_that_is_skipped_does_not_disturb_the_run_that_goes_on(tmp_path):
    store = Store(tmp_path / "clary.db")
    store.write(lambda t: [t.insert(row) for row in (HOOK, run_row(1, BUILDING), run_row(2), run_row(3))])
    activities = Activities()
    activities.outcomes[KEY, "Building 1"] = Pending()
    control(tmp_path, store, SageMakerThatRefusesTwice(), activities).reconcile(KEY)
    assert [row.status for row in store.read.children(KIND, KEY)] == [BUILDING, SKIPPED, QUEUED]
    assert activities.outcomes == {(KEY, "Building 1"): Pending()}
    store.close()
