"""Image addresses, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ADDRESS = re.compile(
    r"(?P<host>(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?P<domain>[a-z0-9.-]+))"
    r"/(?P<repository>[a-z0-9._/-]+?)(?::(?P<tag>[A-Za-z0-9._-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?\Z"
)


@dataclass(frozen=True)
class Address:
    """An image address in ECR, taken apart."""

    account: str
    region: str
    repository: str
    tag: str
    """`latest` where the address names none."""
    digest: str = ""
    """`sha256:…`, where the address names one: then the tag is not looked at."""
    host: str = ""

    @classmethod
    def parse(cls, uri: str) -> Address | None:
        """None where `uri` is no address in ECR."""
        found = _ADDRESS.match(uri)
        if not found:
            return None
        return cls(
            found["account"],
            found["region"],
            found["repository"],
            found["tag"] or "latest",
            found["digest"] or "",
            found["host"],
        )

    @property
    def uri(self) -> str:
        """The image by its digest where there is one, else by its tag."""
        return f"{self.host}/{self.repository}" + (f"@{self.digest}" if self.digest else f":{self.tag}")
