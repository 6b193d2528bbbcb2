"""Where stages log their requests to, and what."""

from __future__ import annotations

import re

from clary.apis.published import LogIndex
from clary.services.apigateway.errors import bad_request, not_offered

_DESTINATION = re.compile(r"arn:aws[a-z-]*:logs:([a-z0-9-]+):[0-9]{12}:log-group:([A-Za-z0-9_./#-]{1,512})(?::\*)?")
_IDENTIFIED = ("$context.requestId", "$context.extendedRequestId")
_MOST_CHARACTERS = 3_000


def check(destination: str | None, form: str | None) -> None:
    """Raises BadRequestException. The rules are those of
    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html; AWS's sentences are not public."""
    if destination and ":firehose:" in destination:
        raise not_offered("Access logs go to a Firehose stream.")
    if destination and not _DESTINATION.fullmatch(destination):
        raise bad_request("Access Log destination must be the ARN of a CloudWatch Logs log group")
    if form and not any(name in form for name in _IDENTIFIED):
        raise bad_request("Access Log format must contain $context.requestId or $context.extendedRequestId")
    if form and len(form) > _MOST_CHARACTERS:
        raise bad_request(f"Access Log format must have at most {_MOST_CHARACTERS} characters")


def index(destination: str | None, form: str | None) -> LogIndex | None:
    """As it is published; None where destination or format are missing."""
    found = _DESTINATION.fullmatch(destination or "")
    return {"region": found[1], "group": found[2], "format": form.replace("\n", " ")} if found and form else None
