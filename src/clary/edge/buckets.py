"""`/_clary/buckets/NAME`: whether there is a bucket of that name, for the proxies of containers, which leave reads of
others to AWS (`launcher/open_reads.py`)."""

from __future__ import annotations

from clary.objects import ObjectReader
from clary.wire.http import HttpRequest, HttpResponse

BUCKETS = "/_clary/buckets"


class Buckets:
    """Answers it."""

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """204, or 404; 403 to what does not come from beside a container."""
        if not request.inside:
            return _said(403, b'{"message":"Only for containers."}')
        name = request.path.removeprefix(BUCKETS).strip("/")
        if self._objects.get_bucket(name) is None:
            return _said(404, b'{"message":"There is nothing here."}')
        return HttpResponse(204, {}, b"")


def _said(status: int, body: bytes) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, body)
