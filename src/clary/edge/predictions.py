"""Which requests any process may answer: predictions that leave nothing behind but their answer and what is counted."""

from __future__ import annotations

import re
from collections.abc import Mapping

from clary.serving.router import Router
from clary.serving.routes import Route

OPENING = b"POST /endpoints/"
"""How each of them begins."""

_REQUEST = re.compile(rb"POST /endpoints/([A-Za-z0-9-]{1,63})/invocations HTTP/1\.1\r\n")
_HOST = re.compile(rb"\r\nhost:[ \t]*(\[[0-9a-f:]+\]|[^:\r\n]*)")
_RUNTIME = b"runtime.sagemaker."
_STATEFUL = b"\r\nx-amzn-sagemaker-session-id:"


class Predictions:
    """As the routes have it that are published now."""

    def __init__(self, router: Router, host: str) -> None:
        """`host`: where this Clary listens."""
        self._router = router
        self._hosts = {host.encode(), b"localhost", b"127.0.0.1", b"[::1]"}
        self._seen = -1
        self._names: frozenset[bytes] = frozenset()

    def are(self, data: bytes) -> bool:
        """Whether a request begins here, its whole head, that asks a model which is there before requests are
        (InvokeEndpoint), and no session of it."""
        found, end = _REQUEST.match(data), data.find(b"\r\n\r\n")
        if found is None or end < 0 or found[1] not in self._plain():
            return False
        head = data[:end].lower()
        return _STATEFUL not in head and self._is_ours(head)

    def _is_ours(self, head: bytes) -> bool:
        """By other names there are functions, websites and APIs with paths of their own."""
        host = _HOST.search(head)
        return host is not None and (host[1] in self._hosts or host[1].startswith(_RUNTIME))

    def _plain(self) -> frozenset[bytes]:
        generation = self._router.refresh()
        if generation != self._seen:
            self._seen, self._names = generation, frozenset(name.encode() for name in plain(self._router.routes()))
        return self._names


def plain(routes: Mapping[str, Route]) -> set[str]:
    """Names of endpoints of which nothing is kept between requests: whatever account and region they are of."""
    own = {published: route for published, route in routes.items() if not route.endpoint}
    others = {_name(published) for published, route in own.items() if not _is_plain(route)}
    return {_name(published) for published in own} - others


def _name(published: str) -> str:
    return published.rpartition("/")[2]


def _is_plain(route: Route) -> bool:
    """Replicas of serverless variants, models of multi-model endpoints, and queues are somebody's to keep."""
    kept = route.hosts_components or route.asynchronous is not None
    return not kept and not any(variant.on_demand or variant.many_models_in is not None for variant in route.variants)
