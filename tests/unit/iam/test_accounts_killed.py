"""`kill -9` of control while an organization and its accounts are made and closed: at each line, in a process of its
own. SDKs try such a call again, by the same invocation's id."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clary.identity.published import identities_path
from clary.publish import Subscriber
from clary.services.iam.publication import document
from tests.durability.lines import COMMIT, PUBLICATION, Asked, Line, Lines, begin

Make = Callable[[Path], Any]

LINES = (Line(COMMIT), Line(COMMIT, after=True), Line(PUBLICATION), Line(PUBLICATION, after=True))
TEAM = {"Email": "team@example.com", "AccountName": "team"}


def again(control: Any, asked: Asked) -> Any:
    """What the SDK is answered when it tries again."""
    control.invocation_id = asked.invocation
    try:
        return control(asked.service, asked.operation, **asked.params)
    finally:
        control.invocation_id = ""


def check_published(control: Any) -> None:
    """Every process decides by what is kept."""
    published = Subscriber(identities_path(control.settings.run_dir)).current()
    assert published == json.loads(json.dumps(document(control.store.read, control.settings)))


@pytest.mark.parametrize("line", LINES)
def test_an_organization_has_its_first_account_or_is_not_there(
    lines: Lines, make_inner: Make, tmp_path: Path, line: Line
) -> None:
    create = Asked("organizations", "CreateOrganization", {}, "same")
    lines.killed(tmp_path, [create], line)
    control = begin(make_inner(tmp_path))
    check_published(control)
    assert [len(control.store.read.rows(kind)) for kind in ("organization", "account")] in ([0, 0], [1, 1])
    made = again(control, create)["Organization"]
    assert control("organizations", "DescribeOrganization")["Organization"] == made
    assert len(control("organizations", "ListAccounts")["Accounts"]) == 1
    assert control.refusal("organizations", "CreateOrganization")[0] == "AlreadyInOrganizationException"
    check_published(control)


@pytest.mark.parametrize("line", LINES)
def test_an_account_is_there_with_its_role_and_its_request_or_not_at_all(
    lines: Lines, make_inner: Make, tmp_path: Path, line: Line
) -> None:
    make_inner(tmp_path)("organizations", "CreateOrganization")
    create = Asked("organizations", "CreateAccount", TEAM, "same")
    lines.killed(tmp_path, [create], line)
    control = begin(make_inner(tmp_path))
    check_published(control)
    accounts = [each.key.name for each in control.store.read.rows("account") if each.spec["Name"] == "team"]
    roles = [each.key.account for each in control.store.read.rows("role") if each.key.account != "000000000000"]
    requests = control("organizations", "ListCreateAccountStatus")["CreateAccountStatuses"]
    assert accounts == roles == [each["AccountId"] for each in requests]
    told = again(control, create)["CreateAccountStatus"]
    assert told["State"] == "SUCCEEDED"
    assert told["AccountId"] in (accounts or [told["AccountId"]])
    assert len(control("organizations", "ListAccounts")["Accounts"]) == 2
    check_published(control)


@pytest.mark.parametrize("line", LINES)
def test_an_account_that_is_closed_is_so_for_everybody(
    lines: Lines, make_inner: Make, tmp_path: Path, line: Line
) -> None:
    first = make_inner(tmp_path)
    first("organizations", "CreateOrganization")
    account = first("organizations", "CreateAccount", **TEAM)["CreateAccountStatus"]["AccountId"]
    close = Asked("organizations", "CloseAccount", {"AccountId": account}, "same")
    lines.killed(tmp_path, [close], line)
    control = begin(make_inner(tmp_path))
    check_published(control)
    again(control, close)
    assert control("organizations", "DescribeAccount", AccountId=account)["Account"]["Status"] == "SUSPENDED"
    assert control.refusal("organizations", "CloseAccount", AccountId=account)[0] == "AccountAlreadyClosedException"
    check_published(control)
