"""An IAM of its own: a real store, real publications, and the handlers behind them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from clary.calls import Access, Call, Principal
from clary.gateway.identity import Identity
from clary.services.context import Context
from clary.services.iam.bootstrap import ensure_defaults
from clary.services.iam.service import SERVICE as IAM
from clary.services.sts.service import SERVICE as STS
from clary.settings import Settings
from clary.store import Store

ACCOUNT = "123456789012"
SERVICES = {"iam": IAM, "sts": STS}
MODELS = {name: botocore.session.get_session().get_service_model(name) for name in SERVICES}


class Cloud:
    """Asks operations as a principal, and checks each answer against AWS's model of it."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self.identity = Identity(settings)

    @property
    def owner(self) -> Principal:
        published = self.identity.directory().identities
        (key_id,) = (name for name, key in published["keys"].items() if key["kind"] == "assumed-role")
        return self.identity.find(key_id, None).principal

    def call(self, operation: str, params: dict[str, Any], principal: Principal | None = None) -> Call:
        service = "sts" if operation in SERVICES["sts"].operations else "iam"
        return Call(principal or self.owner, service, operation, params, "us-east-1")

    def ask(self, operation: str, principal: Principal | None = None, /, **params: Any) -> dict[str, Any]:
        call = self.call(operation, params, principal)
        service = SERVICES[call.service]
        self.identity.authorise(call, service.access(call))
        model = MODELS[call.service].operation_model(operation)
        self._check(params, model.input_shape)
        inert: Any = lambda _: {}  # noqa: E731
        authorise: Any = lambda needed: self.identity.authorise(call, [needed])  # noqa: E731
        context: Any = Context(call, self.settings, self.store, None, None, None, inert, inert, authorise, None)  # type: ignore[arg-type]
        answer: dict[str, Any] = service.operations[operation].handler(context, params)
        self._check(answer, model.output_shape)
        return answer

    @staticmethod
    def _check(values: dict[str, Any], shape: Any) -> None:
        if shape is None:
            assert values == {}
            return
        assert set(values) <= set(shape.members)
        report = ParamValidator().validate(values, shape).generate_report().splitlines()
        assert [line for line in report if "Fingerprint" not in line] == []  # the model's 48 letters are AWS's 47

    def principal(self, credentials: dict[str, Any]) -> Principal:
        """Who signs with credentials as STS or CreateAccessKey answer them."""
        found = self.identity.find(credentials["AccessKeyId"], credentials.get("SessionToken"))
        assert found.secret_key == credentials["SecretAccessKey"]
        return found.principal

    def user(self, name: str, *policies: str) -> Principal:
        """A new user with policies of AWS's."""
        self.ask("CreateUser", UserName=name)
        for policy in policies:
            self.ask("AttachUserPolicy", UserName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        return self.principal(self.ask("CreateAccessKey", UserName=name)["AccessKey"])

    def may(self, principal: Principal, action: str, resource: str = "*", **context: str) -> bool:
        call = Call(principal, action.partition(":")[0], "Any", {}, "us-east-1")
        return self.identity.directory().decide(call, Access(action, resource, context)).allowed


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, account_id=ACCOUNT)


@pytest.fixture
def cloud(settings: Settings) -> Iterator[Cloud]:
    store = Store(settings.database)
    ensure_defaults(store, settings)
    yield Cloud(settings, store)
    store.close()
