"""Secrets Manager of a control that has no edge."""

import uuid

import pytest

_CREATING = ("CreateSecret", "PutSecretValue", "RotateSecret", "UpdateSecret")


class Secrets:
    """Secrets of one Clary."""

    def __init__(self, inner):
        self.inner = inner

    def __call__(self, operation, **params):
        return self.inner("secretsmanager", operation, **self._filled(operation, params))

    def refusal(self, operation, **params):
        return self.inner.refusal("secretsmanager", operation, **self._filled(operation, params))

    @staticmethod
    def _filled(operation, params):
        """SDKs make tokens up."""
        return {"ClientRequestToken": str(uuid.uuid4()), **params} if operation in _CREATING else params

    def create(self, name="app/db", text="hunter2", **params):
        return self("CreateSecret", Name=name, SecretString=text, **params)

    def value(self, name="app/db", **params):
        return self("GetSecretValue", SecretId=name, **params)["SecretString"]

    def stages(self, name="app/db"):
        return self("DescribeSecret", SecretId=name)["VersionIdsToStages"]


@pytest.fixture
def secrets(emptied_inner):
    return Secrets(emptied_inner)
