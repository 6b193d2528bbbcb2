"""GetObject, and nothing else of S3: enough to fetch a script's sources.

Not boto3: a client costs 0.3 s and more before its first byte (it loads JSON models, even in a warm process) and ties
the start of every job to the boto3 of the image. This is one signed request.
"""

from __future__ import annotations

import hashlib
import hmac
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timezone
from pathlib import Path
from typing import Dict, Mapping, Optional, Tuple

from clary.toolkit import credentials
from clary.toolkit.credentials import Credentials
from clary.toolkit.errors import ClientError

_SECONDS = 60.0
_ATTEMPTS = 6
_BACKOFF_SECONDS = 0.4
_PIECE = 1 << 20
_EMPTY = hashlib.sha256(b"").hexdigest()


def parse(url: str) -> Tuple[str, str]:
    """`s3://bucket/key` → (bucket, key). Raises ValueError."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc or not parts.path.lstrip("/"):
        raise ValueError(f"Expecting 's3' scheme, got: {url}")
    rest = parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
    return parts.netloc, rest


def download(url: str, target: Path, environ: Mapping[str, str]) -> None:
    """Fetch the object into a file. Answers of the kind 5xx and broken connections are tried again, for some 12
    seconds: a server that is started anew is waited for.

    Raises ClientError with S3's own code and text.
    """
    bucket, key = parse(url)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _attempt(bucket, key, target, environ)
        except urllib.error.HTTPError as error:
            if error.code < 500 or attempt == _ATTEMPTS:
                raise ClientError(_explain(error, url)) from error
        except OSError as error:
            if attempt == _ATTEMPTS:
                raise ClientError(f"Could not download {url}: {error}") from error
        else:
            return
        time.sleep(_BACKOFF_SECONDS * 2 ** (attempt - 1))


def _attempt(bucket: str, key: str, target: Path, environ: Mapping[str, str]) -> None:
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    url = _address(bucket, key, region, environ)
    headers = sign(url, region, credentials.find(environ), datetime.now(timezone.utc))
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - an endpoint that the container was given
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer, target.open("wb") as file:  # noqa: S310
        shutil.copyfileobj(answer, file, _PIECE)
        if answer.length:  # http.client ends a body that was cut off like any other
            raise ConnectionError(f"the connection ended {answer.length} bytes too early")


def _address(bucket: str, key: str, region: str, environ: Mapping[str, str]) -> str:
    path = urllib.parse.quote(key, safe="/-_.~")
    for name in ("S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
        if environ.get(name):
            return f"{environ[name].rstrip('/')}/{bucket}/{path}"
    return f"https://s3.{region}.amazonaws.com/{bucket}/{path}"


def sign(url: str, region: str, keys: Credentials, now: datetime) -> Dict[str, str]:
    """Headers of a GET signed with Signature Version 4
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html)."""
    parts = urllib.parse.urlsplit(url)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": parts.netloc, "x-amz-content-sha256": _EMPTY, "x-amz-date": stamp}
    if keys.token:
        headers["x-amz-security-token"] = keys.token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"GET\n{parts.path}\n\n{lines}\n{names}\n{_EMPTY}"
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signature = _signature(keys.secret_key, scope, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}")
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    del headers["host"]  # urllib writes it itself
    return headers


def _signature(secret: str, scope: str, text: str) -> str:
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _explain(error: urllib.error.HTTPError, url: str) -> str:
    body = error.read(4096).decode("utf-8", "replace")
    code = _between(body, "Code") or str(error.code)
    message = _between(body, "Message") or error.reason
    return f"An error occurred ({code}) when calling the GetObject operation: {message} ({url})"


def _between(text: str, tag: str) -> Optional[str]:
    start, end = text.find(f"<{tag}>"), text.find(f"</{tag}>")
    return text[start + len(tag) + 2 : end] if 0 <= start < end else None
