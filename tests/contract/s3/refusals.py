"""How a refusal is checked."""

import pytest
from botocore.exceptions import ClientError


def refused(code, status, call, **params):
    """The error's members, where `call` is refused with this code and HTTP status."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response
    assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == (code, status), error
    return error["Error"]
