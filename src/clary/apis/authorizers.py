"""Lambda authorizers of REST APIs
(https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html)."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clary.apis import events, targets
from clary.apis.effects import Effects, NoRole
from clary.apis.gateway_responses import GatewayError
from clary.apis.requests import ApiRequest, Matched
from clary.calls import Call, Principal
from clary.errors import AWSError
from clary.identity.context import context_of
from clary.identity.policy import MalformedPolicy, PolicySet, Question, compile_policy, decide
from clary.velocity import Limits
from clary.velocity.limits import Budget
from clary.velocity.patterns import compiled

INVOKE = "execute-api:Invoke"
_MOST_KEPT = 4096
_SHORT = Limits(seconds=0.05)
"""For expressions that are matched where all requests are answered."""


@dataclass(frozen=True)
class Verdict:
    """What an authorizer has said: a policy, and what it adds to the context."""

    principal_id: str
    policy: Mapping[str, Any]
    context: Mapping[str, Any]
    usage_key: str = ""

    @property
    def shown(self) -> dict[str, Any]:
        """`$context.authorizer`."""
        return {"principalId": self.principal_id, **self.context}


class Authorizers:
    """Asks functions, and remembers what they have said as long as they allow it."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects
        self._kept: dict[tuple[str, ...], tuple[float, Verdict]] = {}

    async def check(self, authorizer: Mapping[str, Any], request: ApiRequest, matched: Matched) -> Verdict:
        """What it says of this request, where that allows it. Raises GatewayError."""
        return _allowed(await self.ask(authorizer, request, matched), request, matched)

    async def decide(
        self,
        authorizer: Mapping[str, Any],
        event: events.Event,
        identity: Sequence[str],
        request: ApiRequest,
        matched: Matched,
        *,
        simple: bool,
    ) -> Verdict:
        """The same for an event that is made already; `simple` answers are yes or no. Raises GatewayError."""
        verdict = await self._remembered(authorizer, event, identity, matched, simple=simple)
        if not simple:
            return _allowed(verdict, request, matched)
        if verdict.policy.get("isAuthorized") is not True:
            raise GatewayError("ACCESS_DENIED", "Forbidden")
        return verdict

    async def ask(self, authorizer: Mapping[str, Any], request: ApiRequest, matched: Matched) -> Verdict:
        """What it says, remembered or asked now. Raises GatewayError."""
        identity = _identity(authorizer, request, matched)
        event = _event(authorizer, request, matched, identity)
        return await self._remembered(authorizer, event, identity, matched, simple=False)

    async def _remembered(
        self,
        authorizer: Mapping[str, Any],
        event: events.Event,
        identity: Sequence[str],
        matched: Matched,
        *,
        simple: bool,
    ) -> Verdict:
        """By what it goes by: as long as it wants that to be remembered."""
        key = (matched.api, matched.stage, authorizer["id"], *identity)
        seconds = authorizer.get("authorizerResultTtlInSeconds", 0) if identity else 0
        kept = self._kept.get(key)
        if seconds and kept and kept[0] > time.monotonic():
            return kept[1]
        verdict = (_simple_verdict if simple else _verdict)(await self._invoke(authorizer, event, matched))
        if seconds:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = (time.monotonic() + seconds, verdict)
        return verdict

    async def _invoke(self, authorizer: Mapping[str, Any], event: events.Event, matched: Matched) -> bytes:
        try:
            principal = principal_of(self._effects, authorizer.get("authorizerCredentials"), matched)
        except NoRole as error:
            raise _broken("AUTHORIZER_CONFIGURATION_ERROR", str(error)) from error
        target = targets.parse(targets.filled(authorizer["authorizerUri"], matched.variables))
        source = f"{matched.arn}/authorizers/{authorizer['id']}"
        try:
            return await invoke(self._effects, target, event, principal, source)
        except FunctionFailed as failed:
            if b'"Unauthorized"' in failed.payload:  # the word by which a function refuses without a policy
                raise GatewayError("UNAUTHORIZED", "Unauthorized") from failed
            raise _broken("AUTHORIZER_FAILURE", str(failed)) from failed
        except AWSError as error:
            raise _broken("AUTHORIZER_FAILURE", str(error)) from error


class FunctionFailed(Exception):
    """The function has ended in an error of its own; `payload` is what it says of it."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload[:1000].decode("utf-8", "replace"))
        self.payload = payload


async def invoke(
    effects: Effects, target: targets.Target, event: events.Event, principal: Principal, source_arn: str
) -> bytes:
    """The function's answer. Raises AWSError, FunctionFailed."""
    return await invoke_raw(effects, target, json.dumps(event).encode(), principal, source_arn)


async def invoke_raw(
    effects: Effects,
    target: targets.Target,
    payload: bytes,
    principal: Principal,
    source_arn: str,
    kind: str = "RequestResponse",
) -> bytes:
    """The same with an event's own bytes; `source_arn` is the method that asks, for the function's policy."""
    params = {"FunctionName": target.function, "InvocationType": kind, "Payload": payload}
    call = Call(principal, "lambda", "Invoke", params, target.region, parent=source_arn)
    output = await effects.call(call)
    answer = output.get("Payload") or b""
    payload = answer.encode() if isinstance(answer, str) else bytes(answer)
    if output.get("FunctionError"):
        raise FunctionFailed(payload)
    return payload


def principal_of(effects: Effects, credentials: str | None, matched: Matched) -> Principal:
    """As whom an integration or an authorizer acts: a role, the caller itself, or API Gateway. Raises NoRole."""
    if not credentials:
        return effects.service(matched.account)
    if credentials.startswith("arn:aws:iam::*:user/"):
        if matched.principal is None:
            raise NoRole("the method takes callers without a signature, and its integration wants to act as them")
        return matched.principal
    return effects.role(credentials)


def _broken(response_type: str, detail: str) -> GatewayError:
    return GatewayError(
        response_type, "Internal server error" if "CONFIG" not in response_type else "null", detail=detail
    )


def _sources(authorizer: Mapping[str, Any]) -> list[str]:
    return [each.strip() for each in (authorizer.get("identitySource") or "").split(",") if each.strip()]


def _identity(authorizer: Mapping[str, Any], request: ApiRequest, matched: Matched) -> list[str]:
    """The values that an authorizer goes by. Raises GatewayError (401) where one is missing."""
    found = [_value(source, request, matched) for source in _sources(authorizer)]
    if any(not value for value in found):
        raise GatewayError("UNAUTHORIZED", "Unauthorized")
    values = [value for value in found if value]
    pattern = authorizer.get("identityValidationExpression")
    if authorizer["type"] == "TOKEN" and pattern and not compiled(pattern).matches(values[0], Budget(_SHORT)):
        raise GatewayError("UNAUTHORIZED", "Unauthorized")
    return values


def _value(source: str, request: ApiRequest, matched: Matched) -> str | None:
    place, _, name = source.rpartition(".")
    if place == "method.request.header":
        return request.header(name)
    if place == "method.request.querystring":
        return request.last_query.get(name)
    if place == "stageVariables":
        return matched.variables.get(name)
    context = {
        "context.httpMethod": request.method,
        "context.path": request.path,
        "context.resourcePath": matched.resource,
    }
    return {**context, "context.identity.sourceIp": request.source_ip}.get(source)


def _event(
    authorizer: Mapping[str, Any], request: ApiRequest, matched: Matched, identity: Sequence[str]
) -> events.Event:
    arn = matched.method_arn(request)
    if authorizer["type"] == "TOKEN":
        return {"type": "TOKEN", "methodArn": arn, "authorizationToken": identity[0]}
    event = events.proxy_event(request, matched, binary=False)
    del event["body"], event["isBase64Encoded"]
    return {"type": "REQUEST", "methodArn": arn, **event}


def _verdict(payload: bytes) -> Verdict:
    """Raises GatewayError where the function has not said what an authorizer must."""
    try:
        said = json.loads(payload)
        context = said.get("context") or {}
        verdict = Verdict(
            str(said["principalId"]), said["policyDocument"], context, said.get("usageIdentifierKey") or ""
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _broken("AUTHORIZER_CONFIGURATION_ERROR", "the authorizer's answer is none") from None
    simple = isinstance(context, dict) and all(isinstance(v, str | int | float | bool | None) for v in context.values())
    if not simple or not isinstance(verdict.policy, dict):
        raise _broken("AUTHORIZER_CONFIGURATION_ERROR", "the authorizer's context holds more than plain values")
    return verdict


def _simple_verdict(payload: bytes) -> Verdict:
    """`{"isAuthorized": true, "context": {…}}`. Raises GatewayError."""
    try:
        said = json.loads(payload)
        return Verdict("", {"isAuthorized": said["isAuthorized"]}, dict(said.get("context") or {}))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _broken("AUTHORIZER_FAILURE", "the authorizer's answer is none") from None


def _allowed(verdict: Verdict, request: ApiRequest, matched: Matched) -> Verdict:
    """Raises GatewayError where its policy does not let the request in."""
    effect = _decision(verdict, request, matched)
    if effect == "explicitDeny":
        raise GatewayError("ACCESS_DENIED", "User is not authorized to access this resource with an explicit deny")
    if effect != "allowed":
        raise GatewayError("ACCESS_DENIED", "User is not authorized to access this resource")
    return verdict


def _decision(verdict: Verdict, request: ApiRequest, matched: Matched) -> str:
    arn = matched.method_arn(request)
    nobody = Principal("anonymous", matched.account, "", "", "")
    call = Call(nobody, "execute-api", "Invoke", {}, matched.region, source_ip=request.source_ip)
    question = Question(INVOKE, arn, lambda: context_of(call, matched.account, {}, {}))
    try:
        return decide(question, PolicySet(compile_policy(verdict.policy, "authorizer"))).effect
    except MalformedPolicy as error:
        raise _broken("AUTHORIZER_CONFIGURATION_ERROR", str(error)) from error
