"""One request on its way: where it goes, and what an operation at the edge has at hand for it."""

from __future__ import annotations

from typing import Protocol

from clary.calls import Call
from clary.serving.chain import Walk
from clary.serving.client import Response
from clary.serving.fleet import Turn
from clary.serving.many_models import Models, ToModel
from clary.serving.metering import Meter, Place
from clary.serving.mirror import Mirror
from clary.serving.recorder import Recorder
from clary.serving.router import STRAIGHT, Router, Way
from clary.serving.routes import VariantRoute
from clary.serving.serverless import Serverless
from clary.serving.sessions import Sessions
from clary.serving.ways import InSession
from clary.settings import Settings


class EdgeContext(Protocol):
    """What an operation at the edge is given (of `services.context.EdgeContext`, this much is needed here)."""

    @property
    def call(self) -> Call:
        """Who asks, and where."""
        ...

    @property
    def settings(self) -> Settings:
        """The limits of invocations."""
        ...

    @property
    def meter(self) -> Meter:
        """Counts what is asked."""
        ...

    @property
    def mirror(self) -> Mirror:
        """Carries what goes to shadow variants."""
        ...

    @property
    def models(self) -> Models:
        """Requests to many models."""
        ...

    @property
    def recorder(self) -> Recorder:
        """Takes what is captured."""
        ...

    @property
    def router(self) -> Router:
        """The way to the replicas."""
        ...

    @property
    def sessions(self) -> Sessions:
        """Which replica has which session."""
        ...

    @property
    def serverless(self) -> Serverless:
        """The way to replicas that are there only for requests."""
        ...


class Invocation:
    """Where a request went: what the texts of its errors name."""

    __slots__ = ("account", "by", "component", "endpoint", "region", "session", "turn", "variant", "walk", "way")

    def __init__(  # noqa: PLR0913, PLR0917  its fields
        self,
        endpoint: str,
        account: str,
        region: str,
        variant: VariantRoute,
        walk: Walk,
        way: ToModel | None = None,
        component: str = "",
        turn: Turn | None = None,
        by: Way[Response] = STRAIGHT,
        session: InSession | None = None,
    ) -> None:
        """`way`: to one of many models. `component`: the inference component that is asked, empty where the endpoint
        itself is. `turn`: with a serverless variant. `by`: how one of the replicas is chosen, and asked; `session` is
        what that is for a request of a session, or for a new one."""
        self.endpoint = endpoint
        self.account = account
        self.region = region
        self.variant = variant
        self.walk = walk
        self.way = way
        self.component = component
        self.turn = turn
        self.by = by
        self.session = session

    def mirrored(self, shadow: VariantRoute) -> Invocation:
        """The same to a shadow variant."""
        walk = Walk(self.walk.positions, 0)
        return Invocation(
            self.endpoint, self.account, self.region, shadow, walk, self.way, self.component, self.turn, self.by
        )

    @property
    def asked(self) -> str:
        """The container that was asked last."""
        return self.variant.hostnames[self.walk.at]

    @property
    def log_group(self) -> str:
        """The log group of what is asked."""
        if self.component:
            return self.variant.log_group
        return f"/aws/sagemaker/Endpoints/{self.endpoint}"

    @property
    def place(self) -> Place:
        """What is metered."""
        variant = self.variant
        return Place(
            self.account, self.region, self.endpoint, variant.name, config=variant.config, component=self.component
        )
