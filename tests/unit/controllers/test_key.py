"""What time does to keys and secrets."""

from datetime import UTC, datetime

import pytest

from clary.controllers.key import Delete, Expire, Rotate, Wait, decide
from clary.keys.rows import DISABLED, ENABLED, KIND
from clary.store.rows import Key, Row

AT = datetime.fromtimestamp(0, UTC)


def row(status=ENABLED, expires=None, **state):
    material = {"id": "m", "sealed": "s", "made": 0.0, "how": "", "expires": expires}
    return Row(Key(KIND, "0", "r", "k"), "arn", status, AT, AT, {}, {"materials": [material], **state})


@pytest.mark.parametrize(
    ("kept", "step"),
    [
        (row(), Wait(None)),
        (row(deletes=100.0), Delete()),
        (row(deletes=101.0), Wait(1.0)),
        (row(deletes=1e9), Wait(3600.0)),
        (row(rotates=99.0), Rotate()),
        (row(DISABLED, rotates=99.0), Wait(None)),
        (row(expires=99.0), Expire()),
        (row(expires=99.0, deletes=98.0), Delete()),
        (row(expires=98.0, deletes=99.0), Expire()),
        (row(rotates=150.0, deletes=120.0), Wait(20.0)),
    ],
)
def test_the_step_that_is_due(kept, step):
    assert decide(kept, 100.0) == step
