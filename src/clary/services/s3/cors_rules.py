"""Which pages of other sites may ask for what
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from clary.services.s3.errors import invalid_request, malformed_xml

SETTING = "Cors"
METHODS = ("GET", "PUT", "HEAD", "POST", "DELETE")
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"

_MOST_RULES = 100
_HEADER = re.compile(r"[!#$%&'+.^_`|~0-9A-Za-z-]+", re.ASCII)

Rule = Mapping[str, Any]


def check(rules: Sequence[Rule]) -> None:
    """Raises MalformedXML, InvalidRequest."""
    if not 1 <= len(rules) <= _MOST_RULES:
        raise malformed_xml()
    for rule in rules:
        if not rule.get("AllowedMethods") or not rule.get("AllowedOrigins"):
            raise malformed_xml()
        for method in rule["AllowedMethods"]:
            if method not in METHODS:
                text = f"Found unsupported HTTP method in CORS config. Unsupported method is {method}"
                raise invalid_request(text)
        for member, name in (("AllowedOrigins", "AllowedOrigin"), ("AllowedHeaders", "AllowedHeader")):
            _check_wildcards(rule.get(member) or (), name)
        for header in rule.get("ExposeHeaders") or ():
            if "*" in header:
                what = "contains wildcard. We currently do not support wildcard for ExposeHeader."
                raise invalid_request(f'ExposeHeader "{header}" {what}')
            if not _HEADER.fullmatch(header):
                raise malformed_xml()


def _check_wildcards(values: Sequence[str], name: str) -> None:
    for value in values:
        if value.count("*") > 1:
            raise invalid_request(f'{name} "{value}" can not have more than one wildcard.')


def allowing(rules: Sequence[Rule], origin: str, method: str, headers: Sequence[str] = ()) -> dict[str, str] | None:
    """What an answer says to a page of `origin` that asks by `method` with `headers`, by the first rule that allows it;
    None where none does."""
    for rule in rules:
        found = next((each for each in rule["AllowedOrigins"] if _matches(each, origin)), None)
        if found is not None and method in rule["AllowedMethods"] and _allows_headers(rule, headers):
            return _said(rule, "*" if found == "*" else origin, headers)
    return None


def _allows_headers(rule: Rule, headers: Sequence[str]) -> bool:
    allowed = [each.lower() for each in rule.get("AllowedHeaders") or ()]
    return all(any(_matches(each, header.lower()) for each in allowed) for header in headers)


def _matches(pattern: str, text: str) -> bool:
    """`*` is any text; there is one at most."""
    head, star, tail = pattern.partition("*")
    if not star:
        return pattern == text
    return len(text) >= len(head) + len(tail) and text.startswith(head) and text.endswith(tail)


def _said(rule: Rule, origin: str, headers: Sequence[str]) -> dict[str, str]:
    said = {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": ", ".join(rule["AllowedMethods"]),
        "vary": VARY,
    }
    if origin != "*":
        said["access-control-allow-credentials"] = "true"
    if headers:
        said["access-control-allow-headers"] = ", ".join(headers)
    if rule.get("ExposeHeaders"):
        said["access-control-expose-headers"] = ", ".join(rule["ExposeHeaders"])
    if rule.get("MaxAgeSeconds") is not None:
        said["access-control-max-age"] = str(rule["MaxAgeSeconds"])
    return said
