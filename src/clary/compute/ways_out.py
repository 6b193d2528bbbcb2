"""The variables by which programs in a container find the way out, and AWS's hosts on it (docs/decisions/0032).

The standard library only, for Pythons of 3.8 and later: keepers read this file too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clary.compute.launch import PROXY_PORT, TRUST

PROXY = f"http://127.0.0.1:{PROXY_PORT}"

_HTTPS = ("HTTPS_PROXY", "https_proxy")
_HTTP = ("HTTP_PROXY", "http_proxy")
_ANY = (*_HTTPS, *_HTTP, "ALL_PROXY", "all_proxy")
_DIRECT = ("NO_PROXY", "no_proxy")

TRUST_VARIABLES = ("AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
"""Of SDKs and the AWS CLI, curl, Node, Python's requests, and whatever uses OpenSSL or is written in Go."""

SYSTEM_TRUST = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where Debian and Alpine, Red Hat, SUSE, Arch, and others keep what they trust, in one file."""

_NODE = {"NODE_USE_ENV_PROXY": "1"}
"""Without it Node asks no proxy, whatever the others say (https://nodejs.org/api/cli.html, from 22.21 and 24.5 on)."""

_ITSELF = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104  whom clients call so
"""gRPC asks a proxy for whatever is not named there, servers in the same container too."""


def of_sandbox(hosts: Iterable[str], trusting: bool) -> dict[str, str]:
    """Where the proxy is the only way; `hosts` are those of the same job. `trusting`: authorities are shown to it."""
    made = {**dict.fromkeys((*_HTTP, *_HTTPS), PROXY), **dict.fromkeys(_DIRECT, ",".join([*_ITSELF, *hosts]))}
    return {**made, **_NODE, **dict.fromkeys(TRUST_VARIABLES, TRUST)} if trusting else made


def of_engine(held: Mapping[str, str], hosts: Iterable[str]) -> dict[str, str]:
    """Where the network leads out too, so that only TLS need go by the proxy. `held` are the variables of image and
    request, which stay as they are; with a proxy of their own, an empty one too, there is nothing to add."""
    if any(name in held for name in _ANY):
        return {}
    spared = [held[name] for name in _DIRECT if held.get(name)][:1]
    direct = ",".join([*spared, *_ITSELF, *hosts])
    wanted = {**_NODE, **dict.fromkeys(TRUST_VARIABLES, TRUST)}
    added = {name: value for name, value in wanted.items() if name not in held}
    return {**dict.fromkeys(_HTTPS, PROXY), **dict.fromkeys(_DIRECT, direct), **added}
