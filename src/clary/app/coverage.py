"""What of AWS is offered, from the registry that the server answers from and botocore's models of everything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clary.services.catalogue import REGISTRY
from clary.wire import models

NOT_OFFERED = "not offered"


def offered() -> tuple[str, ...]:
    """The services of which at least one operation is offered."""
    return tuple(sorted(name for name, service in REGISTRY.services.items() if service.operations))


def known() -> tuple[str, ...]:
    """Every AWS service, offered or not."""
    return tuple(sorted(models.known_services()))


def operations(service: str) -> Mapping[str, str]:
    """Every operation of a service: `executes`, `keeps state`, `refused`, `not offered`. KeyError: no service."""
    names = models.operation_names(service)
    found = {name: REGISTRY.find(service, name) for name in sorted(names)}
    return {name: operation.effect if operation else NOT_OFFERED for name, operation in found.items()}


def coverage(services: Iterable[str]) -> dict[str, dict[str, str]]:
    """`operations` of each."""
    return {service: dict(operations(service)) for service in services}
