"""Deliveries of git forges: who has signed, and what was pushed.

GitHub and Gitea sign the body with HMAC-SHA256
(https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries,
https://docs.gitea.com/usage/webhooks); GitLab sends the secret itself
(https://docs.gitlab.com/user/project/integrations/webhooks/).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

PUSH = "push"
PING = "ping"

_EVENTS = ("x-gitea-event", "x-github-event", "x-gitlab-event")
"""Gitea sends GitHub's as well."""
_IDS = ("x-gitea-delivery", "x-github-delivery", "x-gitlab-event-uuid")
_PUSHES = ("push", "Push Hook")
_BRANCH = "refs/heads/"
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\ud7ff\ue000-\uffff]")
_WORDS = 100
"""Characters of a name or an id; longer ones are nobody's."""


class Refused(Exception):
    """Not taken: `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Delivery:
    """What a signed delivery says."""

    event: str
    """`push`, `ping`, or whatever else the forge tells of."""
    branch: str
    """Empty where no branch was pushed."""
    commit: str
    """What the branch's head was then; empty where the branch was deleted."""
    by: str
    id: str
    """The forge's; empty where it names none."""
    digest: str
    """SHA-256 of the body: an id is not signed, this is."""


def sign(body: bytes, secret: str) -> str:
    """HMAC-SHA256 in hex, as `X-Hub-Signature-256` has it after `sha256=`."""
    return hmac.digest(secret.encode(), body, hashlib.sha256).hex()


def read(headers: Mapping[str, str], body: bytes, secret: str) -> Delivery:
    """A delivery whose signature holds. `headers` by lower-case name. Raises Refused."""
    _verify(headers, body, secret)
    said = _payload(headers, body)
    ref, commit = _text(said, "ref"), _text(said, "after")
    return Delivery(
        event=_event(headers),
        branch=ref.removeprefix(_BRANCH) if ref.startswith(_BRANCH) else "",
        commit=commit if _COMMIT.match(commit) and commit.strip("0") else "",
        by=_pusher(said),
        id=_first(headers, _IDS)[:_WORDS],
        digest=hashlib.sha256(body).hexdigest(),
    )


def _verify(headers: Mapping[str, str], body: bytes, secret: str) -> None:
    """Every proof that is brought has to hold."""
    expected = sign(body, secret)
    proofs = {
        "x-hub-signature-256": f"sha256={expected}",
        "x-gitea-signature": expected,
        "x-gitlab-token": secret,
    }
    brought = [name for name in proofs if name in headers]
    if not brought:
        raise Refused(401, "The delivery is not signed. Give the forge the secret that `clary hooks add` has printed.")
    if not all(hmac.compare_digest(headers[name].encode(), proofs[name].encode()) for name in brought):
        raise Refused(403, "The signature is not that of this hook's secret.")


def _payload(headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
    """JSON, or a form's field of that name, as GitHub sends where it is told to."""
    try:
        if "form-urlencoded" in headers.get("content-type", ""):
            body = parse_qs(body.decode(), strict_parsing=True)["payload"][0].encode()
        said = json.loads(body)
    except (ValueError, KeyError, RecursionError) as error:
        raise Refused(400, "The body is no JSON document.") from error
    if not isinstance(said, dict):
        raise Refused(400, "The body is no JSON object.")
    return said


def _event(headers: Mapping[str, str]) -> str:
    said = _first(headers, _EVENTS)
    return PUSH if said in _PUSHES else plain(said)[:_WORDS]


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((headers[name] for name in names if headers.get(name)), "")


def _pusher(said: Mapping[str, Any]) -> str:
    pusher = said.get("pusher")
    known = pusher if isinstance(pusher, dict) else {}
    name = _text(known, "login") or _text(known, "name") or _text(said, "user_username")
    return plain(name)[:_WORDS]


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def plain(text: str) -> str:
    """For a terminal: nothing that moves its cursor."""
    return _UNPRINTABLE.sub("?", text)
