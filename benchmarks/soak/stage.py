"""The endpoints that are asked, and which models answer for them now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from benchmarks.soak.clients import Asking, Clients
from tests.system.endpoints import SAYS, at_rest, configure, deploy, model, variant
from tests.system.jobs import BUCKET, SKLEARN, Jobs, packed

PAIR, SINGLE, MANY, SLOW = "soak-pair", "soak-single", "soak-many", "soak-slow"
BLUE = "pair-blue"
COLOURS = {PAIR: ("pair-red", "pair-green"), SINGLE: ("single-red", "single-green")}
"""Of the variant that changes."""

MODELS = tuple(f"many-{number}" for number in range(4))
SLOW_SECONDS = 0.05
"""Of a prediction by the model that is overloaded: it answers twenty in a second."""

SAYS_SLOWLY = SAYS.replace("    return model\n", f"    time.sleep({SLOW_SECONDS})\n    return model\n")

HEADER = "X-Amzn-SageMaker-Target-Model"


@dataclass
class Stage:
    """What a run plays on."""

    jobs: Jobs
    asked: dict[str, Asking] = field(default_factory=dict)
    """By endpoint."""
    live: dict[str, str] = field(default_factory=dict)
    """The model of the variant that changes, by endpoint."""
    clients: Clients = field(init=False)

    def deploy(self) -> None:
        """All of them; returns when they are in service."""
        for name in (BLUE, *COLOURS[PAIR], *COLOURS[SINGLE]):
            model(self.jobs, name)
        for endpoint, (first, other) in COLOURS.items():
            configure(self.jobs, _config(endpoint, other), *_variants(endpoint, other))
            deploy(self.jobs, endpoint, *_variants(endpoint, first))
            self.live[endpoint] = first
            self.asked[endpoint] = Asking(endpoint, 6)
        _deploy_many(self.jobs)
        headers = [{HEADER: f"{name}.tar.gz"} for name in MODELS]
        self.asked[MANY] = Asking(MANY, 3, headers)
        deploy_slow(self.jobs)
        self.asked[SLOW] = Asking(SLOW, 1, measured=False)
        self.may()

    def models(self, endpoint: str) -> set[str]:
        """That may answer when nothing is under way."""
        if endpoint == PAIR:
            return {self.live[PAIR], BLUE}
        return {self.live[endpoint]} if endpoint in self.live else set(MODELS) if endpoint == MANY else {SLOW}

    def may(self, *failures: str, endpoint: str | None = None, also: str = "") -> None:
        """From now on what lives answers, and these failures are nobody's fault; of one endpoint, or of all. `also` is
        a model that is to take over."""
        for name, asking in self.asked.items():
            if endpoint in (None, name):
                asking.witness.allow(self.models(name) | ({also} if also else set()), *failures)

    def update(self, endpoint: str, policy: dict[str, Any]) -> str:
        """The other model takes over; its name."""
        first, second = COLOURS[endpoint]
        other = second if self.live[endpoint] == first else first
        self.may(endpoint=endpoint, also=other)
        given = {"DeploymentConfig": policy} if policy else {}
        config = endpoint if other == first else _config(endpoint, other)
        self.jobs.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config, **given)
        self.rested(endpoint, config)
        self.live[endpoint] = other
        self.may(endpoint=endpoint)
        return other

    def scale(self, endpoint: str, count: int) -> None:
        """As many replicas of its first variant."""
        wanted = [{"VariantName": "v", "DesiredInstanceCount": count}]
        self.jobs.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=endpoint, DesiredWeightsAndCapacities=wanted
        )
        self.rested(endpoint)

    def rested(self, endpoint: str, config: str = "") -> None:
        """Wait until no change is under way. Raises AssertionError where it was taken back."""
        described = at_rest(self.jobs, endpoint)
        found = described["EndpointStatus"], described.get("FailureReason"), described["EndpointConfigName"]
        assert found == ("InService", None, config or found[2]), found


def deploy_slow(jobs: Jobs) -> None:
    """The one that is overloaded."""
    jobs.deploy(SLOW, SAYS_SLOWLY.format(name=SLOW, fails=False, breaks=False, hangs=False))


def _config(endpoint: str, colour: str) -> str:
    return f"{endpoint}-{colour}"


def _variants(endpoint: str, colour: str) -> list[dict[str, Any]]:
    changing = variant("v", colour, 2)
    return [changing, variant("w", BLUE, 2)] if endpoint == PAIR else [changing]


def _deploy_many(jobs: Jobs) -> None:
    for name in MODELS:
        script = SAYS.format(name=name, fails=False, breaks=False, hangs=False)
        body = packed({"model": "", "code/inference.py": script})
        jobs.s3.put_object(Bucket=BUCKET, Key=f"{MANY}/{name}.tar.gz", Body=body)
    container = {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/{MANY}/", "Mode": "MultiModel"}
    jobs.deploy_container(MANY, container)
