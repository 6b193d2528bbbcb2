"""The inner door: the same life of a call without HTTP, for whatever in control needs an effect elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clary.calls import Call
from clary.gateway.keyring import Authorizer
from clary.gateway.refusals import not_offered
from clary.services.registry import Operation, Registry
from clary.wire import models
from clary.wire.validation import validate

Run = Callable[[Operation, Call], dict[str, Any]]
"""Carries out an operation with the context of where it runs."""


class InnerDoor:
    """Carries out calls inside control: validated and authorised as if a client had asked."""

    def __init__(self, registry: Registry, authorizer: Authorizer, run: Run) -> None:
        self._registry = registry
        self._authorizer = authorizer
        self._run = run

    def __call__(self, call: Call) -> dict[str, Any]:
        """The output. Raises AWSError as the gateway would answer it, in the words common to all protocols."""
        operation = self._registry.find(call.service, call.operation)
        if operation is None:
            raise not_offered("json", call.service, call.operation)
        validate(models.operation(call.service, call.operation).input_shape, call.params)
        self._authorizer.authorise(call, self._registry.services[call.service].access(call))
        return self._run(operation, call)
