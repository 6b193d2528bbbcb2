"""CORS rules, websites' rules, forms' policies and notifications, without a request."""

import base64
import json

import pytest

from clary.errors import AWSError
from clary.services.s3 import cors_rules, notification_rules, post_policy, website_rules
from clary.services.s3.website_rules import Redirect

# CORS


def rule(**more):
    return {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], **more}


@pytest.mark.parametrize(
    ("origins", "origin", "said"),
    [
        (["*"], "http://a", "*"),
        (["http://a"], "http://a", "http://a"),
        (["http://*.b"], "http://a.b", "http://a.b"),
        (["http://a*a"], "http://a", None),
        (["http://A"], "http://a", None),
    ],
)
def test_origins(origins, origin, said):
    allowed = cors_rules.allowing([rule(AllowedOrigins=origins)], origin, "GET")
    assert (allowed or {}).get("access-control-allow-origin") == said
    assert ("access-control-allow-credentials" in (allowed or {})) is (said not in (None, "*"))


def test_the_first_rule_that_allows_it_speaks():
    rules = [rule(AllowedMethods=["PUT"]), rule(AllowedHeaders=["x-*"], MaxAgeSeconds=5), rule(MaxAgeSeconds=6)]
    allowed = cors_rules.allowing(rules, "http://a", "GET", ["X-One", "x-two"])
    assert (allowed["access-control-allow-headers"], allowed["access-control-max-age"]) == ("X-One, x-two", "5")
    assert cors_rules.allowing(rules, "http://a", "GET", ["y"]) is None
    assert cors_rules.allowing(rules, "http://a", "DELETE") is None


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([], "MalformedXML"),
        ([rule()] * 101, "MalformedXML"),
        ([rule(AllowedMethods=[])], "MalformedXML"),
        ([rule(AllowedMethods=["PATCH"])], "InvalidRequest"),
        ([rule(AllowedOrigins=["*.*"])], "InvalidRequest"),
        ([rule(AllowedHeaders=["*-*"])], "InvalidRequest"),
        ([rule(ExposeHeaders=["*"])], "InvalidRequest"),
        ([rule(ExposeHeaders=["a\r\nset-cookie: b"])], "MalformedXML"),
    ],
)
def test_rules_that_are_none(rules, code):
    with pytest.raises(AWSError) as raised:
        cors_rules.check(rules)
    assert raised.value.code == code


# Websites

INDEX = {"IndexDocument": {"Suffix": "index.html"}}


def routing(redirect, **condition):
    return {**INDEX, "RoutingRules": [{"Redirect": redirect, **({"Condition": condition} if condition else {})}]}


@pytest.mark.parametrize(
    ("site", "text"),
    [
        ({"IndexDocument": {"Suffix": "/index.html"}}, "The IndexDocument Suffix is not well formed"),
        ({"IndexDocument": {"Suffix": ""}}, "The IndexDocument Suffix is not well formed"),
        ({**INDEX, "RedirectAllRequestsTo": {"HostName": "x"}}, "RedirectAllRequestsTo cannot be provided in"),
        ({}, "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty"),
        ({"RedirectAllRequestsTo": {"HostName": "x", "Protocol": "ftp"}}, "Invalid protocol, protocol can be http"),
        (routing({"ReplaceKeyWith": "a", "ReplaceKeyPrefixWith": "b"}), "You can only define ReplaceKeyPrefix or"),
        (routing({"HostName": "x"}, KeyPrefixEquals=""), "Condition cannot be empty."),
        (routing({"HttpRedirectCode": "200"}), "The provided HTTP redirect code (200) is not valid."),
        (routing({"HostName": "x"}, HttpErrorCodeReturnedEquals="200"), "The provided HTTP error code (200)"),
        (routing({}), "The XML you provided was not well-formed"),
        (routing({"HostName": "x\r\nset-cookie: a"}), "The XML you provided was not well-formed"),
        ({**INDEX, "ErrorDocument": {}}, "The XML you provided was not well-formed"),
    ],
)
def test_websites_that_are_none(site, text):
    with pytest.raises(AWSError) as raised:
        website_rules.check(site)
    assert raised.value.message.startswith(text)


def test_where_a_request_is_led():
    def led(site, key, error=None):
        website_rules.check(site)
        return website_rules.routed(site, "http", "h", key, error)

    assert led(routing({"HostName": "x"}), "a b") == Redirect(301, "http://x/a%20b")
    assert led(routing({"ReplaceKeyWith": "e.html?a=1"}, KeyPrefixEquals="a"), "abc") == Redirect(
        301, "http://h/e.html?a=1"
    )
    assert led(routing({"ReplaceKeyPrefixWith": "n/"}, KeyPrefixEquals="o/"), "o/x\r\ny") == Redirect(
        301, "http://h/n/x%0D%0Ay"
    )
    assert led(routing({"HostName": "x"}, KeyPrefixEquals="o/"), "other") is None
    by_error = routing({"HostName": "x"}, HttpErrorCodeReturnedEquals="404")
    assert (led(by_error, "k"), led(by_error, "k", 403)) == (None, None)
    assert led(by_error, "k", 404) == Redirect(301, "http://x/k")
    assert website_rules.to_everything({"RedirectAllRequestsTo": {"HostName": "x"}}, "https", "k").location == (
        "https://x/k"
    )


# Forms


def policy(*conditions, expiration="2030-01-01T00:00:00Z"):
    text = json.dumps({"expiration": expiration, "conditions": [{"bucket": "b"}, *conditions]})
    return base64.b64encode(text.encode()).decode()


def refused(text, **fields):
    with pytest.raises(AWSError) as raised:
        post_policy.check(text, fields, "b", 1e9)
    return raised.value.code, raised.value.message


BAD_TIME = "Invalid Policy: Invalid 'expiration' value: 'then'"
SPACED = "2030-01-01 00:00:00+00:00"
EXPIRED = "Invalid according to Policy: Policy expired."
FAILED = "Invalid according to Policy: Policy Condition failed: "
ONE_PROPERTY = "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."


@pytest.mark.parametrize(
    ("text", "fields", "refusal"),
    [
        ("e30=", {}, ("InvalidPolicyDocument", "Invalid Policy: Policy missing expiration.")),
        ("W10=", {}, ("InvalidPolicyDocument", "Invalid Policy: Invalid JSON.")),
        ("!", {}, ("InvalidPolicyDocument", "Invalid Policy: Invalid JSON.")),
        (policy(expiration="then"), {}, ("InvalidPolicyDocument", BAD_TIME)),
        (policy(expiration=SPACED), {}, ("InvalidPolicyDocument", BAD_TIME.replace("then", SPACED))),
        (policy(expiration="1999-01-01T00:00:00Z"), {}, ("AccessDenied", EXPIRED)),
        (policy({"a": "1", "b": "2"}), {}, ("InvalidPolicyDocument", ONE_PROPERTY)),
        (policy({"key": "k"}), {"key": "l"}, ("AccessDenied", f'{FAILED}["eq", "$key", "k"]')),
        (policy(["eq", "key", "k"]), {"key": "k"}, ("AccessDenied", f'{FAILED}["eq", "key", "k"]')),
        (policy(["starts-with", "$key", "u/"]), {"key": "U/"},
         ("AccessDenied", f'{FAILED}["starts-with", "$key", "u/"]')),
        (policy(), {"acl": "private"}, ("AccessDenied", "Invalid according to Policy: Extra input fields: acl")),
        (policy(["near", "$key", "k"]), {"key": "k"},
         ("InvalidPolicyDocument", "Invalid Policy: Invalid Condition: unknown operation 'near'.")),
    ],
)  # fmt: skip
def test_forms_that_are_not_what_was_signed(text, fields, refusal):
    assert refused(text, **fields) == refusal


def test_a_form_that_is():
    text = policy(["Starts-With", "$Key", ""], ["content-length-range", "1", 5], {"Content-Type": "a/b"})
    fields = {"key": "k", "content-type": "a/b", "x-ignore-me": "1", "policy": text, "x-amz-signature": "s"}
    allowed = post_policy.check(text, fields, "b", 1e9)
    assert allowed == (1, 5)
    post_policy.check_size(5, allowed)
    for size, code in ((0, "EntityTooSmall"), (6, "EntityTooLarge")):
        with pytest.raises(AWSError) as raised:
            post_policy.check_size(size, allowed)
        assert raised.value.code == code


# Notifications

QUEUE = "arn:aws:sqs:us-east-1:111111111111:q"


def notify(**more):
    return {"QueueConfigurations": [{"QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*"], **more}]}


def filtered(**one):
    return notify(Filter={"Key": {"FilterRules": [one]}})


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        (notify(QueueArn="q"), ("InvalidArgument", "The ARN could not be parsed")),
        (notify(QueueArn="arn:aws:sns:us-east-1:111111111111:t"), ("InvalidArgument", "The ARN could not be parsed")),
        (notify(Events=["s3:Wrong"]), ("InvalidArgument", "The event is not supported for notifications")),
        (notify(Events=[]), ("MalformedXML", "The XML you provided was not well-formed or did not")),
        (filtered(Name="INVALID", Value="x"), ("InvalidArgument", "filter rule name must be either prefix or suffix")),
        (filtered(Name="prefix"), ("MalformedXML", "The XML you provided was not well-formed or did not")),
        (notify(), ("InvalidArgument", "Unable to validate the following destination configurations")),
    ],
)
def test_notifications_that_are_refused(asked, refusal):
    with pytest.raises(AWSError) as raised:
        notification_rules.check(asked, skip=False, exists=lambda arn: False)
    assert (raised.value.code, raised.value.message[: len(refusal[1])]) == refusal


def test_notifications_get_ids():
    notification_rules.check(filtered(Name="Prefix", Value="a"), skip=True, exists=lambda arn: False)
    assert notification_rules.with_ids({"EventBridgeConfiguration": {}, "TopicConfigurations": []}) == {
        "EventBridgeConfiguration": {}
    }
    assert notification_rules.with_ids(notify())["QueueConfigurations"][0]["Id"]
