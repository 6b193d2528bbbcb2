"""What a web page may not do to a Clary on the visitor's own machine: ask it where no signature is wanted.

A page of another site can send simple requests to `http://127.0.0.1`, and, where its own name resolves to that address
(DNS rebinding), read the answers too. A browser says both: `Origin` is the page's, `Host` the name that it used. An
image or a link has no `Origin`, only `Sec-Fetch-Site`: it may show an object, and may not name an operation.
"""

from __future__ import annotations

import ipaddress

from clary.wire.http import HttpRequest

_OURS = (".localhost", ".internal", ".local", ".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws")
"""Names that no foreign site has: RFC 6761's, engines' `host.docker.internal`, and AWS's, which programs that reach
Clary by a proxy ask for."""

_OTHERS = ("cross-site", "same-site")
"""What a browser says of another site's page, and of another port's."""


def from_another_page(request: HttpRequest) -> bool:
    """Whether a page of another site asks."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") in _OTHERS and "Action" in request.query_map
    return origin.partition("://")[2] != request.headers.get("host")


def by_a_foreign_name(request: HttpRequest, host: str) -> bool:
    """Whether it was reached by a name that may be anybody's; `host` is what Clary listens on."""
    name = _name(request.headers.get("host", ""))
    return "." in name and name != host and not _is_address(name) and not name.endswith(_OURS)


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower().rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
