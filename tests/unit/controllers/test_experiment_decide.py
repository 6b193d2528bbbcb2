"""An inference experiment from Create to its end, over an endpoint that does as it is asked, or does not, and a crash
after every call."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from clary.controllers.experiment import Ask, Seen, Wait, decide
from clary.lifecycles.inference_experiment import LIFECYCLE, UPDATING
from clary.store.rows import Key, Row

NOW = 1_700_000_000.0
DAY = 86_400.0


def variant(name, model, count=1):
    real_time = {"InstanceType": "ml.m5.large", "InstanceCount": count}
    infrastructure = {"InfrastructureType": "RealTimeInference", "RealTimeInferenceConfig": real_time}
    return {"ModelName": model, "VariantName": name, "InfrastructureConfig": infrastructure}


def mirroring(percentage):
    mirrored = {"ShadowModelVariantName": "shade", "SamplingPercentage": percentage}
    return {"SourceModelVariantName": "live", "ShadowModelVariants": [mirrored]}


SPEC = {
    "Name": "test",
    "Type": "ShadowMode",
    "RoleArn": "r",
    "EndpointName": "e",
    "ModelVariants": [variant("live", "old"), variant("shade", "new")],
    "ShadowModeConfig": mirroring(50),
}


class World:
    """Applies steps as the controller does, to an endpoint of its own; `crashes` says after which call or save it is
    killed, and begins again from the row that was saved last."""

    def __init__(self, spec=None, endpoint="original", begins=NOW, ends=NOW + 7 * DAY, crashes=()):
        self.now, self.crashes, self.calls = NOW, set(crashes), []
        self.ids = (f"{number:08}" for number in itertools.count(1))
        self.configs = {"original": {"ProductionVariants": [{"VariantName": "live"}]}} if endpoint else {}
        self.endpoint = endpoint and {"EndpointStatus": "InService", "EndpointConfigName": endpoint}
        self.fails = None
        created = datetime.fromtimestamp(NOW, UTC)
        key = Key("inference-experiment", "000000000000", "us-east-1", "test")
        state = {"begins": begins, "ends": ends, "made": []}
        self.row = Row(key, "arn", LIFECYCLE.initial, created, created, spec or SPEC, state, "Completed")
        self.statuses = [self.row.status]
        self.events = 0

    def call(self, operation, params):
        self.calls.append(operation)
        name = params["EndpointConfigName"]
        if operation == "CreateEndpointConfig":
            assert name not in self.configs
            self.configs[name] = params
            return
        assert name in self.configs
        assert (self.endpoint is None) == (operation == "CreateEndpoint")
        self.endpoint = {"EndpointStatus": "Updating", "EndpointConfigName": name, "before": self.endpoint}

    def settle(self):
        """Until the experiment waits, and its endpoint is at rest."""
        for _ in range(60):
            seen = Seen(next(self.ids), self.endpoint, self.configs.get(self.row.state.get("config")))
            step = decide(self.row, seen, self.now)
            if isinstance(step, Wait):
                if not self.come_to_rest():
                    return step
                continue
            if isinstance(step, Ask):
                self.call(step.operation, step.params)
                if self.killed():
                    continue
            if step.row is not None:
                self.save(step.row)
        raise AssertionError(f"does not come to rest: {self.statuses}")

    def killed(self):
        self.events += 1
        return self.events in self.crashes

    def save(self, row):
        self.row = row
        if row.status != self.statuses[-1]:
            self.statuses.append(row.status)

    def come_to_rest(self):
        if not self.endpoint or self.endpoint["EndpointStatus"] != "Updating":
            return False
        before = self.endpoint.pop("before")
        if self.fails:
            self.endpoint = {**(before or self.endpoint), "FailureReason": self.fails}
            self.endpoint["EndpointStatus"] = "InService" if before else "Failed"
        else:
            self.endpoint["EndpointStatus"] = "InService"
        return True

    def stop(self, live="Retain", shade="Remove", desired=(), target="Completed"):
        stop = {"actions": {"live": live, "shade": shade}, "variants": list(desired)}
        self.row = replace(self.row, target=target, state={**self.row.state, "stop": stop})
        return self.settle()

    def update(self, **changes):
        kept = {name: of for name, of in self.row.state.items() if name not in ("config", "asked", "reason")}
        state = {**kept, "previous": dict(self.row.spec)}
        self.row = replace(self.row, status=UPDATING, spec={**self.row.spec, **changes}, state=state)
        self.statuses.append(UPDATING)
        return self.settle()

    def serving(self):
        """Production and shadow variants of the endpoint: model, weight, count."""
        config = self.configs[self.endpoint["EndpointConfigName"]]
        return tuple(
            [
                (each["ModelName"], each["InitialVariantWeight"], each["InitialInstanceCount"])
                for each in config.get(kind, ())
            ]
            for kind in ("ProductionVariants", "ShadowProductionVariants")
        )


def running(**more):
    world = World(**more)
    world.settle()
    assert world.row.status == "Running"
    return world


def test_it_mirrors_as_its_schedule_says_and_goes_back_to_what_was():
    world = World(begins=NOW + 60, ends=NOW + 120)
    assert world.settle() == Wait(60)
    assert (world.row.status, world.calls) == ("Created", [])
    world.now += 60
    assert world.settle() == Wait(10)
    assert world.serving() == ([("old", 1.0, 1)], [("new", 0.5, 1)])
    world.now += 60
    world.settle()
    assert world.statuses == ["Creating", "Created", "Starting", "Running", "Stopping", "Completed"]
    assert world.endpoint["EndpointConfigName"] == "original"
    assert world.row.state["ended"] == NOW + 120


def test_it_goes_back_to_what_was_when_it_started_not_when_it_was_created():
    world = World(begins=NOW + 60)
    world.settle()
    world.configs["newer"] = {"ProductionVariants": []}
    world.endpoint["EndpointConfigName"] = "newer"
    world.now += 60
    world.settle()
    world.stop()
    assert (world.row.status, world.endpoint["EndpointConfigName"]) == ("Completed", "newer")


def test_an_endpoint_that_is_deleted_before_it_starts_cancels_it():
    world = World(begins=NOW + 60)
    world.settle()
    world.endpoint, world.now = None, NOW + 60
    world.settle()
    assert (world.row.status, world.calls) == ("Cancelled", [])


def test_an_endpoint_that_is_not_there_is_made_with_production_alone():
    world = World(endpoint=None, begins=NOW + 60)
    world.settle()
    assert world.calls == ["CreateEndpointConfig", "CreateEndpoint"]
    assert world.serving() == ([("old", 1.0, 1)], [])
    world.now += 60
    world.settle()
    assert world.serving() == ([("old", 1.0, 1)], [("new", 0.5, 1)])
    world.stop()
    assert world.serving() == ([("old", 1.0, 1)], [])


@pytest.mark.parametrize(
    ("live", "shade", "desired", "serving"),
    [
        ("Remove", "Promote", (), ([("new", 1.0, 1)], [])),
        ("Remove", "Promote", [variant("shade", "new", 3)], ([("new", 1.0, 3)], [])),
        ("Retain", "Retain", (), ([("old", 1.0, 1)], [("new", 0.5, 1)])),
        ("Retain", "Remove", [variant("live", "old", 2)], ([("old", 1.0, 2)], [])),
        ("Retain", "Retain", [variant("shade", "new", 2)], ([("old", 1.0, 1)], [("new", 0.5, 2)])),
    ],
    ids=["promote", "promote three", "retain both", "retain two", "retain both, two shadows"],
)
def test_a_stop_leaves_what_it_says(live, shade, desired, serving):
    world = running()
    world.stop(live, shade, desired)
    assert (world.row.status, world.serving()) == ("Completed", serving)


def test_a_stop_may_be_a_cancellation():
    world = running()
    world.stop(target="Cancelled")
    assert (world.row.status, world.endpoint["EndpointConfigName"]) == ("Cancelled", "original")


def test_what_has_not_begun_is_cancelled_without_a_call():
    world = World(begins=NOW + 60)
    world.settle()
    world.stop()
    assert (world.row.status, world.calls) == ("Cancelled", [])


def test_data_storage_captures_all_of_both():
    storage = {"Destination": "s3://b/x", "KmsKey": "k", "ContentType": {"CsvContentTypes": ["text/csv"]}}
    world = running(spec={**SPEC, "DataStorageConfig": storage})
    capture = world.configs[world.endpoint["EndpointConfigName"]]["DataCaptureConfig"]
    assert (capture["DestinationS3Uri"], capture["InitialSamplingPercentage"], capture["KmsKeyId"]) == (
        "s3://b/x",
        100,
        "k",
    )
    assert capture["CaptureContentTypeHeader"] == {"CsvContentTypes": ["text/csv"]}


def test_an_update_deploys_anew():
    world = running()
    world.update(ShadowModeConfig=mirroring(100))
    assert world.statuses[-2:] == ["Updating", "Running"]
    assert world.serving() == ([("old", 1.0, 1)], [("new", 1.0, 1)])


def test_an_update_that_fails_is_taken_back():
    world = running()
    world.fails = "no ping"
    world.update(ShadowModeConfig=mirroring(100))
    assert (world.row.status, "no ping" in world.row.state["reason"]) == ("Running", True)
    assert world.row.spec == SPEC
    assert world.serving()[1] == [("new", 0.5, 1)]
    world.fails = None
    world.stop("Retain", "Retain")
    assert world.serving()[1] == [("new", 0.5, 1)]


def test_a_shadow_that_cannot_start_cancels_it_and_the_endpoint_is_as_it_was():
    world = World()
    world.fails = "no ping"
    world.settle()
    assert (world.row.status, world.endpoint["EndpointConfigName"]) == ("Cancelled", "original")
    assert world.row.state["reason"] == "Endpoint e could not be deployed: no ping"


@pytest.mark.parametrize("status", ["Failed", "UpdateRollbackFailed"])
def test_an_endpoint_that_does_not_serve_cannot_be_tested(status):
    world = World()
    world.endpoint["EndpointStatus"] = status
    world.settle()
    assert (world.row.status, status in world.row.state["reason"]) == ("Cancelled", True)


def test_an_endpoint_that_is_deleted_ends_it():
    world = running()
    world.endpoint = None
    world.settle()
    assert (world.row.status, world.row.state["reason"]) == ("Completed", "Endpoint e was deleted.")


def test_an_endpoint_that_somebody_else_has_updated_is_left_alone():
    world = running()
    world.configs["theirs"] = {}
    world.endpoint = {"EndpointStatus": "InService", "EndpointConfigName": "theirs"}
    world.stop("Remove", "Promote")
    assert (world.row.status, world.endpoint["EndpointConfigName"]) == ("Completed", "theirs")
    assert "somebody else" in world.row.state["reason"]


def test_a_stop_while_it_starts_waits_for_the_endpoint_and_takes_it_back():
    world = World()
    world.come_to_rest = lambda: False
    world.settle()
    assert (world.row.status, world.endpoint["EndpointStatus"]) == ("Starting", "Updating")
    del world.come_to_rest
    world.stop()
    assert (world.row.status, world.endpoint["EndpointConfigName"]) == ("Completed", "original")


def test_the_configuration_to_go_back_to_is_made_anew_where_it_was_deleted():
    world = running()
    del world.configs["original"]
    world.stop()
    assert (world.row.status, world.serving()) == ("Completed", ([("old", 1.0, 1)], []))


@pytest.mark.parametrize("killed", range(1, 7))
@pytest.mark.parametrize("endpoint", ["original", None])
def test_a_crash_between_a_call_and_its_save_changes_nothing(killed, endpoint):
    world = World(endpoint=endpoint, crashes=[killed])
    world.settle()
    assert world.row.status == "Running"
    world.stop("Remove", "Promote")
    assert (world.row.status, world.serving()) == ("Completed", ([("new", 1.0, 1)], []))


def test_names_of_configurations_are_as_long_as_they_may_be():
    world = World()
    world.row = replace(world.row, key=replace(world.row.key, name="n" * 120))
    world.settle()
    assert all(len(name) <= 63 for name in world.configs)
    assert world.row.status == "Running"
