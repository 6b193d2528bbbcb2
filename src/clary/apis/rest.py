"""A request through a REST API, from top to bottom: find, restrict, authorize, count, validate, integrate, answer."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from clary.apis.authorizers import INVOKE, Authorizers
from clary.apis.effects import Effects
from clary.apis.gateway_responses import DEFAULT_STATUSES, DEFAULT_TEMPLATES, GatewayError
from clary.apis.integrations import Integrations
from clary.apis.mapping import Answered, Mapper, configuration_error, is_binary, to_binary, to_text
from clary.apis.paths import Tree
from clary.apis.published import Index, StageIndex
from clary.apis.requests import ApiRequest, Matched
from clary.apis.schema import Validator
from clary.apis.throttling import Throttles
from clary.apis.usage import Usage
from clary.calls import Call, Principal
from clary.identity.context import context_of
from clary.identity.policy import MalformedPolicy, Question, compile_policy
from clary.identity.trust import trust_of_principal
from clary.velocity import Limits, TemplateError
from clary.velocity.limits import Budget
from clary.velocity.patterns import compiled
from clary.wire.http import HttpResponse

Identify = Callable[[str], Principal]
"""Who has signed the request for this ARN, and may ask for it. Raises GatewayError."""

_CONTEXT = re.compile(
    r"\$(?:\{(context|stageVariables)\.([A-Za-z0-9_.-]+)\}|(context|stageVariables)\.([A-Za-z0-9_.-]*[A-Za-z0-9_]))"
)
_SHORT = Limits(seconds=0.05)
"""For expressions that are matched where all requests are answered."""

_SELECTED_BY = 4096
"""Characters of a function's error that selection patterns see."""

_ANONYMOUS = Principal("anonymous", "", "", "", "")


class RestApi:
    """One deployment, ready to be asked."""

    def __init__(self, snapshot: Mapping[str, Any]) -> None:
        self.api: Mapping[str, Any] = snapshot["api"]
        self.resources: Mapping[str, Any] = snapshot["resources"]
        self.responses: Mapping[str, Any] = snapshot["responses"]
        self.authorizers: Mapping[str, Any] = snapshot["authorizers"]
        self.validators: Mapping[str, Any] = snapshot["validators"]
        self.binary: list[str] = self.api.get("binaryMediaTypes") or []
        self._models = {name: json.loads(model.get("schema") or "{}") for name, model in snapshot["models"].items()}
        self.tree = Tree((each["path"], each) for each in self.resources.values() if each["resourceMethods"])
        policy = self.api.get("policy")
        self.policy = compile_policy(_expanded(policy, self.api["id"]), "api") if policy else ()

    def body_errors(self, model: str, body: Any) -> list[str]:  # noqa: ANN401 — a value of JSON
        """What is wrong with a body."""
        return Validator(self._models).errors(body, self._models.get(model, {}))


def _expanded(policy: str, api: str) -> dict[str, Any]:
    """`execute-api:/STAGE/…` is short for this API's ARN. Raises MalformedPolicy."""
    try:
        document: dict[str, Any] = json.loads(policy.replace('"execute-api:/', f'"arn:aws:execute-api:*:*:{api}/'))
    except ValueError as error:
        raise MalformedPolicy(str(error)) from error
    return document


class RestPipeline:
    """Answers requests of all REST APIs."""

    def __init__(self, effects: Effects) -> None:
        self.authorizers = Authorizers(effects)
        self._integrations = Integrations(effects)
        self._throttles = Throttles()
        self.usage = Usage()

    async def answer(
        self, api: RestApi, index: Index, stage: StageIndex, request: ApiRequest, matched: Matched, identify: Identify
    ) -> HttpResponse:
        """The whole way; what goes wrong is answered as a gateway response."""
        try:
            method = self._find(api, request, matched)
            self._restrict(api, request, matched)
            await self._authorize(api, method, request, matched, identify)
            self._count(index, stage, method, matched, request)
            return await self.execute(api, method, request, matched)
        except GatewayError as error:
            matched.outcome.error, matched.outcome.error_type = error.message, error.response_type
            return refused(api, error, request, matched)

    def _find(self, api: RestApi, request: ApiRequest, matched: Matched) -> Mapping[str, Any]:
        found = api.tree.find(request.path)
        methods = found.resource["resourceMethods"] if found else {}
        name = request.method if request.method in methods else "ANY"
        if found is None or name not in methods:
            raise GatewayError("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
        matched.resource_id, matched.resource = found.resource["id"], found.resource["path"]
        matched.method, matched.path_params = name, found.params
        method: Mapping[str, Any] = methods[name]
        return method

    def _restrict(self, api: RestApi, request: ApiRequest, matched: Matched) -> None:
        """The API's own policy, where it has one and the method does not go by signatures (there it is asked with the
        caller's name)."""
        if api.policy:
            check_policy(api, request, matched, _ANONYMOUS)

    async def _authorize(
        self, api: RestApi, method: Mapping[str, Any], request: ApiRequest, matched: Matched, identify: Identify
    ) -> None:
        kind = method.get("authorizationType", "NONE")
        if kind == "AWS_IAM":
            matched.principal = identify(matched.method_arn(request))
        elif kind == "CUSTOM":
            authorizer = api.authorizers.get(method.get("authorizerId", ""))
            if authorizer is None:
                raise GatewayError("AUTHORIZER_CONFIGURATION_ERROR", "null")
            verdict = await self.authorizers.check(authorizer, request, matched)
            matched.authorizer, matched.api_key = verdict.shown, verdict.usage_key

    def _count(
        self, index: Index, stage: StageIndex, method: Mapping[str, Any], matched: Matched, request: ApiRequest
    ) -> None:
        """API key, usage plan, throttling. Raises GatewayError (403, 429)."""
        place = f"{matched.api}/{matched.stage}"
        setting = _setting(stage["settings"], matched)
        if setting and "throttlingRateLimit" in setting:
            rate, burst = setting["throttlingRateLimit"], setting.get("throttlingBurstLimit", 5000)
            self._throttles.take(f"{place}{matched.resource}/{matched.method}", rate, burst)
        if not method.get("apiKeyRequired"):
            return
        value = matched.api_key or request.header("x-api-key") or ""
        key = index["keys"].get(value)
        plans = [(n, p) for n, p in index["plans"].items() if place in p["stages"] and key and key["id"] in p["keys"]]
        if key is None or not key["enabled"] or not plans:
            raise GatewayError("INVALID_API_KEY", "Forbidden")
        matched.api_key, matched.api_key_id = value, key["id"]
        for name, plan in plans[:1]:
            limit, quota = plan["throttle"], plan["quota"]
            if limit:
                self._throttles.take(f"{name}/{key['id']}", limit.get("rateLimit", 0), limit.get("burstLimit", 0))
            if quota:
                self._throttles.count(f"{name}/{key['id']}", quota)
            self.usage.count(matched.account, matched.region, name, key["id"])

    async def execute(
        self, api: RestApi, method: Mapping[str, Any], request: ApiRequest, matched: Matched
    ) -> HttpResponse:
        """Validation and integration: what TestInvokeMethod does as well. Raises GatewayError."""
        if method.get("requestValidatorId"):  # in a thread: schemas and bodies come from outside
            await asyncio.to_thread(_validate, api, method, request, matched)
        integration = method["methodIntegration"]
        mapper = Mapper(request, matched)
        if integration["type"] == "AWS_PROXY":
            return await self._integrations.function(integration, mapper, api.binary)
        if integration["type"] == "HTTP_PROXY":
            return await self._integrations.forwarded(integration, mapper)
        answered = await self._integrations.mapped(integration, mapper, api.binary)
        return await _respond(api, integration, mapper, answered)


def check_policy(api: RestApi, request: ApiRequest, matched: Matched, who: Principal) -> None:
    """Raises GatewayError (403) where the API's policy does not let this principal in."""
    call = Call(who, "execute-api", "Invoke", {}, matched.region, source_ip=request.source_ip)
    arn = matched.method_arn(request)
    question = Question(INVOKE, arn, lambda: context_of(call, matched.account, {}, {}))
    if trust_of_principal(api.policy, question, who) in ("denied", "none"):
        text = f"User: anonymous is not authorized to perform: {INVOKE} on resource: {arn}"
        raise GatewayError("ACCESS_DENIED", text)


def _setting(settings: Mapping[str, Any], matched: Matched) -> Mapping[str, Any] | None:
    path = matched.resource.lstrip("/") or "~1"
    found: Mapping[str, Any] | None = settings.get(f"{path}/{matched.method}") or settings.get("*/*")
    return found


def _validate(api: RestApi, method: Mapping[str, Any], request: ApiRequest, matched: Matched) -> None:
    """Raises GatewayError (400)."""
    validator = api.validators.get(method.get("requestValidatorId") or "")
    if not validator:
        return
    if validator.get("validateRequestParameters"):
        missing = _missing(method.get("requestParameters") or {}, request, matched)
        if missing:
            text = f"Missing required request parameters: [{', '.join(missing)}]"
            raise GatewayError("BAD_REQUEST_PARAMETERS", text, detail=text)
    models = method.get("requestModels") or {}
    if validator.get("validateRequestBody") and models:
        _validate_body(api, models, request)


def _missing(parameters: Mapping[str, bool], request: ApiRequest, matched: Matched) -> list[str]:
    there: dict[str, Callable[[str], str | None]] = {
        "path": matched.path_params.get,
        "querystring": request.last_query.get,
        "header": request.header,
    }
    wanted = [name.removeprefix("method.request.").partition(".") for name, needed in parameters.items() if needed]
    return [name for place, _, name in wanted if not there[place](name)]


def _validate_body(api: RestApi, models: Mapping[str, str], request: ApiRequest) -> None:
    model = models.get(request.content_type) or models.get("$default")
    if model is None:
        return
    try:
        errors = api.body_errors(model, json.loads(request.body or b"{}"))
    except (ValueError, RecursionError):
        errors = ["the body is no JSON"]
    if errors:
        raise GatewayError("BAD_REQUEST_BODY", "Invalid request body", detail=f"[{', '.join(errors)}]")


async def _respond(api: RestApi, integration: Mapping[str, Any], mapper: Mapper, answered: Answered) -> HttpResponse:
    """The integration's response that fits, with its headers and template. Raises GatewayError."""
    chosen = _chosen(integration, answered)
    response = HttpResponse(int(chosen["statusCode"]), {"content-type": _response_type(chosen, mapper, answered)})
    response.body = await _response_body(api, chosen, mapper, answered)
    for target, expression in (chosen.get("responseParameters") or {}).items():
        value = mapper.source(expression, answered)
        if value is not None:
            response.headers[target.removeprefix("method.response.header.").lower()] = value
    _override(mapper.context.get("responseOverride"), response)
    return response


def _chosen(integration: Mapping[str, Any], answered: Answered) -> Mapping[str, Any]:
    """By the function's error, or the status, against the selection patterns; else the one that has none."""
    text = answered.error if answered.error is not None else str(answered.status)
    responses = (integration.get("integrationResponses") or {}).values()
    default = None
    for response in responses:
        pattern = response.get("selectionPattern")
        if not pattern:
            default = default or response
        elif text and _selects(pattern, text):
            found: Mapping[str, Any] = response
            return found
    if default is None:
        raise configuration_error("No match for output mapping and no default output mapping configured.")
    chosen: Mapping[str, Any] = default
    return chosen


def _selects(pattern: str, text: str) -> bool:
    try:
        return compiled(pattern).matches(text[:_SELECTED_BY], Budget(_SHORT))
    except TemplateError as error:
        raise configuration_error(str(error)) from error


def _template(chosen: Mapping[str, Any], mapper: Mapper) -> tuple[str, str]:
    """The content type and the text; empty where there is none."""
    templates = {name: text for name, text in (chosen.get("responseTemplates") or {}).items() if text}
    accepted = (mapper.request.header("accept") or "").partition(",")[0].partition(";")[0].strip()
    name = next((n for n in (accepted, "application/json", *templates) if n in templates), "")
    return (name, templates[name]) if name else ("", "")


def _response_type(chosen: Mapping[str, Any], mapper: Mapper, answered: Answered) -> str:
    name, _ = _template(chosen, mapper)
    said = next((value for key, value in answered.headers.items() if key.lower() == "content-type"), None)
    return name or said or "application/json"


async def _response_body(api: RestApi, chosen: Mapping[str, Any], mapper: Mapper, answered: Answered) -> bytes:
    handling, body = chosen.get("contentHandling"), answered.body
    kind = next((value for key, value in answered.headers.items() if key.lower() == "content-type"), "")
    if handling == "CONVERT_TO_TEXT" and is_binary(kind, api.binary):
        body = to_text(body)
    _, template = _template(chosen, mapper)
    if template:
        body = (await mapper.render(template, body.decode("utf-8", "replace"))).encode("utf-8", "replace")
    return to_binary(body) if handling == "CONVERT_TO_BINARY" else body


def _override(said: Any, response: HttpResponse) -> None:  # noqa: ANN401 — whatever a template has set
    if not isinstance(said, dict):
        return
    status, headers = said.get("status"), said.get("header")
    if status is not None and str(status).isdecimal() and 100 <= int(str(status)) <= 599:
        response.status = int(str(status))
    if isinstance(headers, dict):
        response.headers |= {str(name).lower(): str(value) for name, value in headers.items()}


def refused(api: RestApi, error: GatewayError, request: ApiRequest, matched: Matched) -> HttpResponse:
    """A gateway response: the API's own, or AWS's."""
    own = api.responses.get(error.response_type)
    family = api.responses.get("DEFAULT_4XX" if error.status < 500 else "DEFAULT_5XX")
    response = own or (family if error.response_type in DEFAULT_STATUSES else None) or {}
    status = int(response.get("statusCode") or error.status)
    mapper = Mapper(request, matched)
    mapper.context["error"] = {
        "message": error.message,
        "messageString": json.dumps(error.message) if error.message != "null" else "null",
        "responseType": error.response_type,
        "validationErrorString": error.detail if error.response_type.startswith("BAD_REQUEST") else "",
    }
    templates = response.get("responseTemplates") or DEFAULT_TEMPLATES
    kind, template = next(iter(templates.items()))
    headers = {"content-type": kind, "x-amzn-errortype": error.error_type}
    for target, expression in (response.get("responseParameters") or {}).items():
        value = mapper.source(expression)
        if value is not None:
            headers[target.removeprefix("gatewayresponse.header.").lower()] = value
    return HttpResponse(status, headers, _substituted(template, mapper).encode())


def _substituted(template: str, mapper: Mapper) -> str:
    """Gateway responses know variables, and nothing else of templates."""

    def value(found: re.Match[str]) -> str:
        place, name = found[1] or found[3], found[2] or found[4]
        return mapper.source(f"{place}.{name}") or ""

    return _CONTEXT.sub(value, template)
