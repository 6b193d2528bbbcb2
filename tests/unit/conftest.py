"""A control without processes: operations are called as Clary itself calls them, on a real store and real objects."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace

import pytest

from clary.calls import Call, Principal
from clary.errors import AWSError
from clary.gateway.call import InnerDoor
from clary.identity.defaults import ROLE_ID
from clary.identity.policy import Decision
from clary.images.base import Environment, Image, MetricDefinition, Program
from clary.images.catalogue import ImageNotFound
from clary.images.releases import COMPILER, EXPORTER
from clary.objects import ObjectStore
from clary.queues.messages import MessageStore
from clary.services.catalogue import REGISTRY
from clary.services.context import Context
from clary.services.looking import Lookup
from clary.services.sagemaker import patience
from clary.settings import Settings
from clary.store import Store
from clary.telemetry.series import SeriesStore
from clary.wire import models
from tests.durability.lines import Lines

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:{}-cpu-py3"
NEO = "785573368785.dkr.ecr.us-east-1.amazonaws.com/xgboost-neo:latest"
NEO_ONNX = "785573368785.dkr.ecr.us-east-1.amazonaws.com/sagemaker-neo-onnx:1.5.0-cpu-py3"

_TYPES = {
    "string": str,
    "character": str,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "boolean": bool,
    "timestamp": datetime,
    "blob": bytes,
}


PYTORCH = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.10.0-cpu"
TENSORFLOW = "763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-inference:2.19.0-cpu"

KNOWN = {
    XGBOOST: (),
    PYTORCH: EXPORTER,
    TENSORFLOW: EXPORTER,
    NEO: (),
    NEO_ONNX: (),
    SKLEARN.format("1.0-1"): (),
    SKLEARN.format("1.2-1"): COMPILER,
    SKLEARN.format("1.4-2"): COMPILER,
}
"""What the environments of a few images hold, by address."""


class Images:
    """Knows a few images."""

    def resolve(self, uri):
        if uri not in KNOWN:
            raise ImageNotFound(uri, "Known: one.")
        run = Program("m")
        metrics = (MetricDefinition("train:rmse", "rmse:(.*)"),)
        return Image(uri, Environment("e", "3.11", KNOWN[uri]), run, run, metric_definitions=metrics, built_in=True)


class Permissive:
    """Allows everything, and remembers what was needed."""

    def __init__(self):
        self.needed = []

    def authorise(self, call, needed):
        self.needed += needed


def breaches(shape, value, path="$"):
    """Where a value is not what its shape says: missing required members, unknown members, wrong types."""
    if shape.type_name == "structure":
        yield from (f"{path}.{name} is missing" for name in shape.required_members if value.get(name) is None)
        yield from (f"{path}.{name} is unknown" for name in value if name not in shape.members)
        for name in set(value) & set(shape.members):
            yield from breaches(shape.members[name], value[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            yield from breaches(shape.member, item, f"{path}[{index}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from breaches(shape.value, item, f"{path}[{key!r}]")
    elif not isinstance(value, _TYPES[shape.type_name]):
        yield f"{path} is {value!r}"


class Inner:
    """Calls operations; every answer is held against the model."""

    def __init__(self, folder, **settings):
        self.settings = Settings(data_dir=folder, auth=settings.pop("auth", "off"), **settings)
        self.store = Store(self.settings.database)
        self.objects = ObjectStore(self.settings.objects_dir)
        self.series = SeriesStore(self.settings.series_database)
        self.messages = MessageStore(self.settings.messages_database)
        self.lookup = Lookup(self.settings.database)
        self.authorizer = Permissive()
        self.woken = []
        self.door = InnerDoor(REGISTRY, self.authorizer, self._run)
        arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/ClaryExecutionRole/clary"
        self.invocation_id = ""
        self.principal = Principal("assumed-role", ACCOUNT, arn, ROLE, f"{ROLE_ID}:clary")

    def _run(self, operation, call):
        parts = self.settings, self.store, self.objects, Images(), self.series
        context = Context(
            call,
            *parts,
            wake=self.woken.append,
            invoke=self.door,
            authorise=lambda access: None,
            messages=self.messages,
            decide=self.decide,
        )
        output = self.lookup(operation, call) if operation.looks else None  # as the edge does, before control is asked
        return operation.handler(context, call.params) if output is None else output

    @staticmethod
    def decide(_access, _policy):
        return Decision("allowed", "resource")

    def __call__(self, service, operation, region="us-east-1", **params):
        call = Call(self.principal, service, operation, params, region, invocation_id=self.invocation_id)
        output = self.door(call) or {}
        shape = models.operation(service, operation).output_shape
        assert not list(breaches(shape, output) if shape else output)
        return output

    def refusal(self, service, operation, **params):
        """The error's code and text."""
        with pytest.raises(AWSError) as raised:
            self(service, operation, **params)
        return raised.value.code, raised.value.message

    def service(self, name):
        """Operations as attributes."""
        return SimpleNamespace(
            call=lambda operation, **params: self(name, operation, **params),
            refusal=lambda operation, **params: self.refusal(name, operation, **params),
        )

    def close(self):
        self.messages.close()
        self.series.close()
        self.objects.close()
        self.store.close()


@pytest.fixture
def make_inner(monkeypatch):
    """One more control, with settings of its own. No controller runs in it: no Describe waits for what one would do."""
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0)
    made = []

    def make(folder, **settings):
        made.append(Inner(folder, **settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="session")
def lines():
    """What kills a control at a line; it takes two seconds of a processor to start."""
    with Lines() as running:
        yield running


@pytest.fixture(scope="module")
def shared_inner(tmp_path_factory):
    """One control for a file of tests, for services that no controller's patience is waited for."""
    shared = Inner(tmp_path_factory.mktemp("control"))
    yield shared
    shared.close()


@pytest.fixture
def emptied_inner(shared_inner):
    """The same with nothing in it, and nobody but the default role calling."""
    shared_inner.store.write(lambda transaction: transaction.clear())
    principal, shared_inner.invocation_id = shared_inner.principal, ""
    yield shared_inner
    shared_inner.principal = principal


@pytest.fixture
def inner(tmp_path, make_inner):
    inner = make_inner(tmp_path)
    _stock(inner.objects)
    return inner


def _stock(objects):
    objects.create_bucket("data", account=ACCOUNT, region="us-east-1")
    objects.put_bytes("data", "train/a.csv", b"1,2\n")
    objects.put_bytes("data", "model.tar.gz", b"x")


@pytest.fixture
def stocked_inner(emptied_inner, monkeypatch):
    """`inner`, as one for a file of tests."""
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0)
    if emptied_inner.objects.get_bucket("data") is None:
        _stock(emptied_inner.objects)
    return emptied_inner
