import pytest


@pytest.fixture
def ecr(inner):
    service = inner.service("ecr")
    service.call("CreateRepository", repositoryName="app")
    return service
