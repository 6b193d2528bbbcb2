"""Routes: which containers answer for which endpoint; written by control, read by every edge."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clary.names import PRIMARY
from clary.publish import Publisher
from clary.serving.asynchronous.config import Asynchronous
from clary.serving.capture import Capture

FILE = "endpoint-routes.json"


def endpoint_id(account: str, region: str, name: str) -> str:
    """The name under which an endpoint's route is published."""
    return f"{account}/{region}/{name}"


def component_id(account: str, region: str, name: str) -> str:
    """The name under which the route of an inference component is published; no endpoint is called so."""
    return f"{account}/{region}/inference-component/{name}"


@dataclass(frozen=True)
class Target:
    """One replica that has answered /ping: the containers to dial, in the order of the model's."""

    containers: tuple[str, ...]


@dataclass(frozen=True)
class OnDemand:
    """Of a serverless variant: replicas are started for requests, and each has one at a time."""

    most: int
    """MaxConcurrency: requests under way at once."""
    provisioned: int
    """Replicas that are always there."""
    wanted: int
    """Replicas that are there or being started."""
    failures: int = 0
    """How many have not come up so far."""
    said: str = ""
    """Why the last of them did not."""


@dataclass(frozen=True)
class VariantRoute:
    """A production variant: its share of the traffic is `weight` over the sum of all weights."""

    name: str
    weight: float
    targets: tuple[Target, ...]
    log_group: str = ""
    hostnames: tuple[str, ...] = (PRIMARY,)
    """What each target's containers are called."""
    direct: bool = False
    """A request names the container that is to answer it; else all do, one after the other."""
    capture: Capture | None = None
    """What is captured of its requests; None: nothing."""
    share: float = 1.0
    """Which part of the variant's traffic these replicas take. While an update shifts it a variant has two entries of
    one name: its old replicas and its new ones, each with its part of the variant's weight."""
    config: str = ""
    """EndpointConfigName of these replicas."""
    shadow: VariantRoute | None = None
    """The shadow variant to which requests are mirrored that come here; its `weight` is the part of them, from 0 to 1.
    Nobody asks it by name."""
    many_models_in: int | None = None
    """Which of its containers may have loaded many models, of which a request names one; None: no one."""
    on_demand: OnDemand | None = None
    """Of a serverless variant; else its replicas are there before requests are."""
    at_random: bool = False
    """RoutingStrategy: any replica is asked; else the one with the fewest requests outstanding."""
    once: bool = False
    """A request whose replica has died with it is asked of no other."""

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> VariantRoute:
        """From a published document."""
        return cls(
            name=raw["name"],
            weight=raw["weight"],
            targets=tuple(Target(tuple(target["containers"])) for target in raw["targets"]),
            log_group=raw["log_group"],
            hostnames=tuple(raw["hostnames"]),
            direct=raw["direct"],
            capture=Capture.parse(raw["capture"]) if raw.get("capture") else None,
            share=raw.get("share", 1.0),
            config=raw.get("config", ""),
            shadow=VariantRoute.parse(raw["shadow"]) if raw.get("shadow") else None,
            many_models_in=raw.get("many_models_in"),
            on_demand=OnDemand(**raw["on_demand"]) if raw.get("on_demand") else None,
            at_random=raw.get("at_random", False),
            once=raw.get("once", False),
        )


@dataclass(frozen=True)
class Route:
    """All variants of one endpoint, in the order of its configuration; or the one of an inference component."""

    variants: tuple[VariantRoute, ...]
    endpoint: str = ""
    """Of an inference component: the endpoint through which alone it is asked."""
    hosts_components: bool = False
    """Nobody answers for this endpoint but the inference components that requests name."""
    idle: bool = False
    """Of an inference component: it is to have no copies."""
    asynchronous: Asynchronous | None = None
    """How requests wait for it; None: it answers them as they come."""

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Route:
        """From a published document."""
        variants = tuple(VariantRoute.parse(variant) for variant in raw["variants"])
        config = raw.get("asynchronous")
        asynchronous = Asynchronous.parse(config) if config else None
        return cls(
            variants,
            endpoint=raw.get("endpoint", ""),
            hosts_components=raw.get("hosts_components", False),
            idle=raw.get("idle", False),
            asynchronous=asynchronous,
        )


class RouteTable:
    """Control's side: all routes, published again whenever one of them changes. May be used from any thread."""

    def __init__(self, run_dir: Path) -> None:
        self._publisher = Publisher(run_dir / FILE)
        self._lock = threading.Lock()
        self._routes: dict[str, Any] = {}
        self._generation = 0

    def replace(self, routes: Mapping[str, Route]) -> int:
        """Publish these routes and no others (control does it once, when it starts); the generation."""
        with self._lock:
            self._routes = {endpoint: asdict(route) for endpoint, route in routes.items()}
            return self._publish()

    def set(self, endpoint: str, route: Route | None) -> int:
        """Publish one endpoint's route, or that it has none; the generation of the routes that say so."""
        wanted = asdict(route) if route else None
        with self._lock:
            if self._routes.get(endpoint) == wanted:
                return self._generation
            if wanted is None:
                self._routes.pop(endpoint)
            else:
                self._routes[endpoint] = wanted
            return self._publish()

    def withdraw(self, containers: Collection[str]) -> int:
        """Route nobody to these containers any more, whatever endpoint they belong to; the generation that says so."""
        with self._lock:
            kept = {endpoint: _without(route, containers) for endpoint, route in self._routes.items()}
            if kept == self._routes:
                return self._generation
            self._routes = kept
            return self._publish()

    @property
    def generation(self) -> int:
        """Of the routes that were published last; 0 before the first."""
        return self._generation

    def _publish(self) -> int:
        self._generation = self._publisher.publish({"endpoints": self._routes})
        return self._generation


def _without(route: Mapping[str, Any], containers: Collection[str]) -> dict[str, Any]:
    gone = frozenset(containers)
    return {**route, "variants": tuple(_variant_without(variant, gone) for variant in route["variants"])}


def _variant_without(variant: Mapping[str, Any], gone: frozenset[str]) -> dict[str, Any]:
    targets = tuple(each for each in variant["targets"] if gone.isdisjoint(each["containers"]))
    shadow = variant["shadow"] and _variant_without(variant["shadow"], gone)
    return {**variant, "targets": targets, "shadow": shadow}
