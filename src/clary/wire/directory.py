"""Which service and operation a request asks for, and in which protocol: told by the target header, the path of an RPC,
the credential's scope, the form, the host and the path, in this order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address
from types import MappingProxyType

from botocore.model import ServiceModel

from clary.wire import models, rpc_cbor
from clary.wire.http import HttpRequest
from clary.wire.protocols import FORMS, names_of
from clary.wire.query import form
from clary.wire.routes import Match, Routes

_REST = frozenset({"rest-json", "rest-xml"})
_RPC_PATH = re.compile(r"/service/(?P<service>[^/]+)/operation/(?P<operation>[^/]+)")
_ROOT_HOSTS = (".localhost", ".localhost.localdomain")
_CONTROL, _CONTROL_PATH, _CONTROL_HEADER = "s3control", "/v20180820/", "x-amz-account-id"
"""S3's control plane, which signs as S3 does: a bucket may have the path's name, but no request of S3 the header."""


_NO_LABELS: Mapping[str, str] = MappingProxyType({})


class Target:
    """What is asked for."""

    __slots__ = ("bucket", "labels", "operation", "protocol", "service")

    def __init__(
        self,
        service: str,
        operation: str = "",
        labels: Mapping[str, str] = _NO_LABELS,
        bucket: str | None = None,
        protocol: str = "",
    ) -> None:
        """`service` may be one that is not offered; `operation` is empty where it cannot be told. `bucket` is the one
        that the host names, where it names one. `protocol` is empty where the service is not offered."""
        self.service = service
        self.operation = operation
        self.labels = labels
        self.bucket = bucket
        self.protocol = protocol


class Directory:
    """The services that are offered, by everything that may tell them apart. A service's paths, and with them its
    model, are read when they are first asked for: that takes up to a tenth of a second, and keeps MiBs."""

    def __init__(self, services: Iterable[str]) -> None:
        outlines = {name: models.outline(name) for name in services}
        self._by_target: dict[str, str] = {}
        self._by_signing_name: dict[str, list[str]] = {}
        self._by_version: dict[str, str] = {}
        self._routes: dict[str, Routes] = {}
        self._protocols = {name: names_of(outline) for name, outline in outlines.items()}
        self._with_paths = tuple(name for name, spoken in self._protocols.items() if spoken[0] in _REST)
        for name, outline in outlines.items():
            self._enter(name, outline)

    def _enter(self, name: str, model: ServiceModel) -> None:
        if name != _CONTROL:
            self._by_signing_name.setdefault(model.signing_name, []).append(name)
        self._by_signing_name.setdefault(model.endpoint_prefix, []).append(name)
        if "targetPrefix" in model.metadata:
            self._by_target[model.metadata["targetPrefix"]] = name
        if FORMS.intersection(self._protocols[name]):
            self._by_version[model.api_version] = name

    def find(self, request: HttpRequest, scope: str | None) -> Target:
        """What is asked for; `scope` is the service's name in the credential (None: not signed by SigV4).

        Raises BadPath, and Mismatch where a form cannot be read.
        """
        target = self._of_rpc(request, scope) or self._of_control(request)
        if target is None:
            target = self._scoped(request, scope) if scope is not None else self._unsigned(request)
        if not target.protocol:
            target.protocol = self._protocols.get(target.service, ("",))[0]
        return target

    def _of_rpc(self, request: HttpRequest, scope: str | None) -> Target | None:
        """Where the request itself says the operation's name, and nothing else need be looked at."""
        prefix, dot, operation = request.headers.get("x-amz-target", "").rpartition(".")
        if dot:
            return self._named(prefix, operation, scope, "json")
        if request.headers.get("smithy-protocol") != rpc_cbor.MARK:
            return None
        path = _RPC_PATH.fullmatch(request.path)
        if path is None:
            return None
        return self._named(path["service"], path["operation"], scope, rpc_cbor.NAME)

    def _of_control(self, request: HttpRequest) -> Target | None:
        """What is asked of S3 Control; the host's first label is the account, as the header is."""
        if not request.raw_path.startswith(_CONTROL_PATH) or _CONTROL_HEADER not in request.headers:
            return None
        return (self._route(_CONTROL, request) if _CONTROL in self._with_paths else None) or Target(_CONTROL)

    def _named(self, prefix: str, operation: str, scope: str | None, protocol: str) -> Target:
        service = self._by_target.get(prefix, scope or prefix)
        spoken = self._protocols.get(service, ())
        return Target(service, operation, protocol=protocol if protocol in spoken else "")

    def _scoped(self, request: HttpRequest, scope: str) -> Target:
        services = self._by_signing_name.get(scope, ())
        for service in services:
            if service in self._with_paths and (match := self._route(service, request)):
                return match
        for service in services:
            if protocol := self._form_of(service):
                return Target(service, form(request).get("Action", ""), protocol=protocol)
        service = next((name for name in services if name in self._with_paths), services[0] if services else scope)
        return Target(service, bucket=self._bucket(service, request))

    def _unsigned(self, request: HttpRequest) -> Target:
        if target := self._by_form(request):
            return target
        others = (name for name in self._with_paths if name not in ("s3", _CONTROL))
        for service in others:
            if match := self._route(service, request):
                return match
        if "s3" not in self._with_paths:
            return Target(host_label(request.headers.get("host", "")))
        return self._route("s3", request) or Target("s3", bucket=self._bucket("s3", request))

    def _by_form(self, request: HttpRequest) -> Target | None:
        if "Action=" not in request.raw_query and b"Action=" not in request.body[:65536]:
            return None
        fields = form(request)
        service = self._by_version.get(fields.get("Version", ""))
        return Target(service, fields.get("Action", ""), protocol=self._form_of(service)) if service else None

    def _form_of(self, service: str) -> str:
        """Which of the protocols with forms the service speaks; empty where it speaks none."""
        return next((name for name in self._protocols[service] if name in FORMS), "")

    def _bucket(self, service: str, request: HttpRequest) -> str | None:
        return bucket_of_host(request.headers.get("host", "")) if service == "s3" else None

    def _route(self, service: str, request: HttpRequest) -> Target | None:
        bucket = self._bucket(service, request)
        if service not in self._routes:
            self._routes[service] = Routes(models.load(service))
        match: Match | None = self._routes[service].find(request, bucket)
        if match is None:
            return None
        return Target(service, match.operation, match.labels, bucket, self._protocols[service][0])


def host_label(host: str) -> str:
    """The first label of a host name."""
    return host.partition(":")[0].partition(".")[0]


@lru_cache(maxsize=4096)
def bucket_of_host(host: str) -> str | None:
    """The bucket that a virtual host names: `NAME.s3.REGION.amazonaws.com`, `NAME.localhost`; None for path style."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    name = name.lower()
    if _is_address(name) or name.startswith(("s3.", "s3-")):
        return None
    for marker in (".s3.", ".s3-"):
        bucket, found, _ = name.partition(marker)
        if found:
            return bucket
    return next((name.removesuffix(root) for root in _ROOT_HOSTS if name.endswith(root)), None)


def _is_address(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
