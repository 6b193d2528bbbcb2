"""Which containers a person may enter: those of a training job with remote debugging, of an endpoint's variants with
SSM access, and of the inference components on them. AWS lets people in by Systems Manager, under the same two settings
(https://docs.aws.amazon.com/sagemaker/latest/dg/train-remote-debugging.html,
https://docs.aws.amazon.com/sagemaker/latest/dg/ssm-access.html)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypedDict

from clary.lifecycles import endpoint, inference_component, training_job
from clary.names import container_names
from clary.settings import Settings
from clary.store import Key, Row, Store


class Entrance(TypedDict):
    """One container: its host is `algo-1` in a job, `VARIANT/1` in an endpoint or inference component,
    `VARIANT/1/NAME` where its instances have several."""

    host: str
    container: str
    open: bool


def entrances(settings: Settings, store: Store, params: Mapping[str, Any]) -> dict[str, Any]:
    """The containers of the job, endpoint or inference component with this name, and what opens those that are closed;
    no `kind` where there is no such thing."""

    def get(kind: str, name: str) -> Row | None:
        return store.read.get(Key(kind, settings.account_id, str(params["region"]), name))

    job, served = get(training_job.KIND, str(params["name"])), get(endpoint.KIND, str(params["name"]))
    if job is not None and not training_job.LIFECYCLE.terminal(job.status):
        return {"kind": "job", "entrances": list(_of_job(job))}
    if served is not None:
        return {"kind": "endpoint", "entrances": list(_of_deployment(served, served, get))}
    component = get(inference_component.KIND, str(params["name"]))
    if component is not None:
        host = get(endpoint.KIND, component.spec["EndpointName"])
        return {"kind": "endpoint", "entrances": list(_of_deployment(component, host, get))}
    return {"kind": "job", "entrances": []} if job is not None else {}


def _of_job(row: Row) -> Iterator[Entrance]:
    is_open = bool(row.spec.get("RemoteDebugConfig", {}).get("EnableRemoteDebug"))
    for number, container in enumerate(row.state.get("containers", []), 1):
        yield Entrance(host=f"algo-{number}", container=container, open=is_open)


def _of_deployment(row: Row, host: Row | None, get: Callable[[str, str], Row | None]) -> Iterator[Entrance]:
    """Of what serves; `host`: the endpoint on whose instances that is."""
    opened = _opened(host, get)
    for variant in (row.state.get("current") or {}).get("variants", []):
        for number, replica in enumerate(variant.get("replicas", []), 1):
            for name, member in _hosts(f"{variant['name']}/{number}", variant, replica):
                yield Entrance(host=name, container=member["container"], open=variant["name"] in opened)


def _opened(host: Row | None, get: Callable[[str, str], Row | None]) -> set[str]:
    """The variants of an endpoint that let people in."""
    deployment = (host.state.get("current") if host else None) or {}
    config = get("endpoint-config", deployment.get("config", ""))
    variants = config.spec.get("ProductionVariants", []) if config else []
    return {variant["VariantName"] for variant in variants if variant.get("EnableSSMAccess")}


def _hosts(host: str, variant: endpoint.Variant, replica: endpoint.Replica) -> Iterator[tuple[str, endpoint.Member]]:
    names = container_names(variant["container_definitions"])
    for member in replica["members"]:
        yield host if len(names) == 1 else f"{host}/{names[member['position']]}", member
