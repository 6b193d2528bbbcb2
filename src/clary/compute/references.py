"""Names of images, taken apart as engines do (https://pkg.go.dev/github.com/distribution/reference)."""

from __future__ import annotations

import re
from dataclasses import dataclass

DOCKER_HUB = "docker.io"
_HUB_HOSTS = (DOCKER_HUB, "index.docker.io", "registry-1.docker.io")

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_NAME = re.compile(
    rf"(?P<host>{_HOST})/(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>[a-z0-9]+:[0-9a-f]{32,}))?"
)


@dataclass(frozen=True)
class Reference:
    """An image in a registry that its name names."""

    host: str
    """With its port; Docker Hub is `docker.io`, whichever of its names was used."""
    path: str
    tag: str
    """Empty where the name has none."""
    digest: str

    @classmethod
    def parse(cls, name: str) -> Reference | None:
        """None for what an engine would not look for at a host of its own, or would refuse."""
        found = _NAME.fullmatch(name)
        if found is None or not ("." in found["host"] or ":" in found["host"] or found["host"] == "localhost"):
            return None
        host, path = canonical(found["host"]), found["path"]
        if host == DOCKER_HUB and "/" not in path:
            path = f"library/{path}"
        return cls(host, path, found["tag"] or "", found["digest"] or "")

    @property
    def places(self) -> tuple[str, ...]:
        """What a login may be for, the narrowest first: `HOST/NAMESPACE/NAME`, `HOST/NAMESPACE`, `HOST`."""
        parts = [self.host, *self.path.split("/")]
        return tuple("/".join(parts[:count]) for count in range(len(parts), 0, -1))


def canonical(host: str) -> str:
    """One name for Docker Hub, which has several."""
    return DOCKER_HUB if host in _HUB_HOSTS else host
