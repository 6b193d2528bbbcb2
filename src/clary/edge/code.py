"""`/_clary/code/DIGEST.zip`: a function's or layer's zip, for whoever was told of it by GetFunction or GetLayerVersion.
AWS answers a presigned URL there; here it is the digest that nobody else knows."""

from __future__ import annotations

import re

from clary.settings import Settings
from clary.wire.http import Extent, HttpRequest, HttpResponse

CODE = "/_clary/code"

_NAME = re.compile(re.escape(CODE) + r"/([0-9a-f]{64})\.zip")


class Code:
    """Answers it."""

    def __init__(self, settings: Settings) -> None:
        self._zips = settings.functions_dir / "zips"

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """The zip, or 404."""
        found = _NAME.fullmatch(request.path)
        path = self._zips / f"{found[1]}.zip" if found else None
        if path is None or not path.is_file():
            return HttpResponse(404, {"content-type": "application/json"}, b'{"message":"There is nothing here."}')
        size = path.stat().st_size
        return HttpResponse(200, {"content-type": "application/zip"}, Extent(((path, 0, size),), size))
