"""What may be deleted, and which retention may take the place of which."""

from datetime import UTC, datetime

import pytest

from clary.objects.locks import LockedVersion, check_retention, default_until, is_locked
from clary.objects.model import Attributes

NOW = 1000


def retained(mode, until):
    return Attributes(lock_mode=mode, lock_until=until)


def test_a_retention_ends_by_itself_and_a_hold_does_not():
    for mode in ("GOVERNANCE", "COMPLIANCE"):
        assert is_locked(retained(mode, NOW + 1), NOW)
        assert not is_locked(retained(mode, NOW), NOW)
    assert is_locked(Attributes(legal_hold="ON"), 2**60, bypass=True)
    assert not is_locked(Attributes(legal_hold="OFF"), NOW)
    assert not is_locked(Attributes(), NOW)


def test_only_governance_can_be_bypassed():
    assert not is_locked(retained("GOVERNANCE", NOW + 1), NOW, bypass=True)
    assert is_locked(retained("COMPLIANCE", NOW + 1), NOW, bypass=True)


@pytest.mark.parametrize(
    ("there", "mode", "until", "without", "bypassing"),
    [
        ("GOVERNANCE", "GOVERNANCE", NOW + 20, True, True),
        ("GOVERNANCE", "COMPLIANCE", NOW + 10, True, True),
        ("GOVERNANCE", "GOVERNANCE", NOW + 5, False, True),
        ("GOVERNANCE", "COMPLIANCE", NOW + 5, False, True),
        ("GOVERNANCE", "", 0, False, True),
        ("COMPLIANCE", "COMPLIANCE", NOW + 10, True, True),
        ("COMPLIANCE", "COMPLIANCE", NOW + 9, False, False),
        ("COMPLIANCE", "GOVERNANCE", NOW + 20, False, False),
        ("COMPLIANCE", "", 0, False, False),
    ],
)
def test_which_retention_may_follow_which(there, mode, until, without, bypassing):
    for bypass, allowed in ((False, without), (True, bypassing)):
        if allowed:
            check_retention(retained(there, NOW + 10), mode, until, NOW, bypass=bypass)
        else:
            with pytest.raises(LockedVersion):
                check_retention(retained(there, NOW + 10), mode, until, NOW, bypass=bypass)
    check_retention(retained(there, NOW), "", 0, NOW, bypass=False)


def test_a_default_retention_is_counted_in_days():
    moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert default_until({"Mode": "GOVERNANCE", "Days": 2}, moment) == datetime(2026, 1, 3, 12, tzinfo=UTC)
    assert default_until({"Mode": "GOVERNANCE", "Years": 1}, moment) == datetime(2027, 1, 1, 12, tzinfo=UTC)
