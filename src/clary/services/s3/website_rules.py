"""Static websites: what a configuration may say, and where a request is led by it
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteHosting.html)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from clary.services.s3.errors import invalid_argument, invalid_request, malformed_xml

SETTING = "Website"
Site = Mapping[str, Any]
Rule = Mapping[str, Any]

_MOST_RULES = 50
_PROTOCOLS = ("http", "https")
_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?(/[\w./~-]*)?", re.ASCII)


class Redirect(NamedTuple):
    """Where else to ask."""

    status: int
    location: str


def check(site: Site) -> None:
    """Raises InvalidArgument, InvalidRequest, MalformedXML."""
    everything = site.get("RedirectAllRequestsTo")
    if everything is not None:
        if any(site.get(name) for name in ("IndexDocument", "ErrorDocument", "RoutingRules")):
            text = "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules."
            raise invalid_argument(text, "RedirectAllRequestsTo", "not null")
        if not everything.get("HostName"):
            raise malformed_xml()
        _check_target(everything)
        return
    if site.get("IndexDocument") is None:
        text = "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty"
        raise invalid_argument(text, "IndexDocument", "null")
    suffix = site["IndexDocument"].get("Suffix")
    if not suffix or "/" in suffix:
        raise invalid_argument("The IndexDocument Suffix is not well formed", "IndexDocument", suffix or "")
    if site.get("ErrorDocument") is not None and not site["ErrorDocument"].get("Key"):
        raise malformed_xml()
    _check_rules(site)


def _check_rules(site: Site) -> None:
    rules = site.get("RoutingRules")
    if rules is not None and len(rules) > _MOST_RULES:
        raise invalid_request(f"{len(rules)} routing rules provided, the number of routing rules is limited to 50.")
    for rule in rules or ():
        redirect = rule.get("Redirect")
        if not redirect:
            raise malformed_xml()
        _check_target(redirect)
        _check_codes(rule)
        if redirect.get("ReplaceKeyPrefixWith") and redirect.get("ReplaceKeyWith"):
            raise invalid_request("You can only define ReplaceKeyPrefix or ReplaceKey but not both.")
        condition = rule.get("Condition")
        if condition is not None and not any(condition.get(name) for name in ("HttpErrorCodeReturnedEquals", _PREFIX)):
            raise invalid_request(
                "Condition cannot be empty. To redirect all requests without a condition, the condition element "
                "shouldn't be present."
            )


_PREFIX = "KeyPrefixEquals"


def _check_target(redirect: Mapping[str, Any]) -> None:
    if redirect.get("HostName") and not _HOST.fullmatch(redirect["HostName"]):
        raise malformed_xml()
    if redirect.get("Protocol") not in (None, *_PROTOCOLS):
        raise invalid_request(
            "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected "
            "automatically."
        )


def _check_codes(rule: Rule) -> None:
    code = rule["Redirect"].get("HttpRedirectCode")
    if code and not (code.isascii() and code.isdigit() and 300 < int(code) < 400):
        raise invalid_request(f"The provided HTTP redirect code ({code}) is not valid. Valid codes are 3XX except 300.")
    error = (rule.get("Condition") or {}).get("HttpErrorCodeReturnedEquals")
    if error and not (error.isascii() and error.isdigit() and 400 <= int(error) < 600):
        raise invalid_request(f"The provided HTTP error code ({error}) is not valid. Valid codes are 4XX or 5XX.")


def to_everything(site: Site, scheme: str, key: str) -> Redirect | None:
    """Where all requests are led, where they are."""
    everything = site.get("RedirectAllRequestsTo")
    if everything is None:
        return None
    protocol = everything.get("Protocol") or scheme
    return Redirect(301, f"{protocol}://{everything['HostName']}/{_quoted(key)}")


def routed(site: Site, scheme: str, host: str, key: str, error: int | None = None) -> Redirect | None:
    """Where the first rule leads that holds of this key, and of the error that it has ended in, if it has."""
    for rule in site.get("RoutingRules") or ():
        condition = rule.get("Condition") or {}
        if _holds(condition, key, error):
            return _redirect(rule["Redirect"], condition, scheme, host, key)
    return None


def _holds(condition: Mapping[str, Any], key: str, error: int | None) -> bool:
    wanted = condition.get("HttpErrorCodeReturnedEquals")
    if bool(wanted) != (error is not None) or (wanted and int(wanted) != error):
        return False
    return key.startswith(condition.get(_PREFIX) or "")


def _redirect(redirect: Mapping[str, Any], condition: Mapping[str, Any], scheme: str, host: str, key: str) -> Redirect:
    path = _quoted(key)
    if redirect.get("ReplaceKeyWith"):
        path = _written(redirect["ReplaceKeyWith"])
    elif redirect.get("ReplaceKeyPrefixWith") is not None:
        path = _written(redirect["ReplaceKeyPrefixWith"]) + _quoted(key.removeprefix(condition.get(_PREFIX) or ""))
    location = f"{redirect.get('Protocol') or scheme}://{redirect.get('HostName') or host}/{path}"
    return Redirect(int(redirect.get("HttpRedirectCode") or 301), location)


def _quoted(key: str) -> str:
    return quote(key, safe="/~", errors="surrogatepass")


def _written(text: str) -> str:
    """What the configuration says may hold a query, and be encoded already."""
    return quote(text, safe="/~=&?#:@!$'()*+,;%", errors="surrogatepass")
