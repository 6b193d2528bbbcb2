"""Organizations: accounts that are made and closed, and who may act in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.durability.witness import Hand, Idle, Register
from tests.running import RunningClary

MOST = 40
"""Accounts: a closed one stays for good."""

LOOKS = 3
"""Accounts of which it is tried whether somebody may act in them."""


class Accounts(Hand):
    """State of an account: None, or its status and its tag."""

    def __init__(self, clary: RunningClary, seed: str, number: int) -> None:
        super().__init__(clary, seed)
        self._organizations, self._sts = clary.client("organizations"), clary.client("sts")
        self._organizations.create_organization()
        self._accounts: list[Register] = []
        self._ids: dict[str, str] = {}

    def steps(self) -> Sequence[Callable[[], None]]:
        return (self._create, self._create, self._close)

    def check(self) -> None:
        found = {each["Name"]: each for page in self._pages() for each in page["Accounts"]}
        for account in self._accounts:
            there = found.get(account.name)
            account.is_((there["Status"], self._tag(there["Id"])) if there else None)
            if there:
                self._ids[account.name] = there["Id"]
        known = [each for each in self._accounts if each.state is not None]
        for account in self.chance.sample(known, min(LOOKS, len(known))):
            self._may_act(account)

    def _pages(self) -> Sequence[dict[str, list[dict[str, str]]]]:
        return list(self._organizations.get_paginator("list_accounts").paginate())

    def _tag(self, account: str) -> str:
        [tag] = self._organizations.list_tags_for_resource(ResourceId=account)["Tags"]
        value: str = tag["Value"]
        return value

    def _may_act(self, account: Register) -> None:
        """By the role that was made with it, unless it is closed."""
        role = f"arn:aws:iam::{self._ids[account.name]}:role/OrganizationAccountAccessRole"
        try:
            self._sts.assume_role(RoleArn=role, RoleSessionName="player")
        except self._sts.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDenied", error
            assert account.state[0] == "SUSPENDED", f"nobody may act in {account.name}"
        else:
            assert account.state[0] == "ACTIVE", f"somebody may act in {account.name}"

    def _create(self) -> None:
        if len(self._accounts) >= MOST:
            raise Idle
        account, tag = Register(f"account {self.fresh()}"), self.fresh()
        self._accounts.append(account)
        made = account.becomes(
            ("ACTIVE", tag), self._organizations.create_account, Email=f"{len(self._accounts)}@players.invalid",
            AccountName=account.name, Tags=[{"Key": "t", "Value": tag}],
        )["CreateAccountStatus"]  # fmt: skip
        assert made["State"] == "SUCCEEDED", made
        self._ids[account.name] = made["AccountId"]

    def _close(self) -> None:
        open_ = [each for each in self._accounts if not each.lost and each.state and each.state[0] == "ACTIVE"]
        account = self.any_of(open_)
        state = ("SUSPENDED", account.state[1])
        account.becomes(state, self._organizations.close_account, AccountId=self._ids[account.name])
