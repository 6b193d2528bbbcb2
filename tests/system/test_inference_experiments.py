"""An inference experiment of a started Clary, from Create to Promote, under load and with control killed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.running import RunningClary, wait_until
from tests.system.endpoints import deploy, load, model, more, says, variant
from tests.system.jobs import JOB_SECONDS, Jobs

pytestmark = [pytest.mark.system]


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Iterator[Jobs]:
    yield Jobs(shared)


def infrastructure_of(name: str, model_name: str) -> dict[str, Any]:
    real_time = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
    infrastructure = {"InfrastructureType": "RealTimeInference", "RealTimeInferenceConfig": real_time}
    return {"VariantName": name, "ModelName": model_name, "InfrastructureConfig": infrastructure}


def is_there(jobs: Jobs) -> bool:
    """Whether control answers."""
    try:
        jobs.sagemaker.list_endpoints()
    except (BotoCoreError, ClientError):
        return False
    return True


def comes_to(jobs: Jobs, name: str, status: str) -> Any:
    def there() -> Any:
        found = jobs.sagemaker.describe_inference_experiment(Name=name)
        return found if found["Status"] == status else None

    return wait_until(there, JOB_SECONDS, f"{name} is {status}")


def test_from_create_to_promote_no_request_fails(jobs: Jobs) -> None:
    live, shade = model(jobs, "tried-live"), model(jobs, "tried-shade")
    endpoint = deploy(jobs, "tried", variant("live", live))
    later = datetime.now(UTC) + timedelta(hours=1)
    with load(jobs, endpoint) as (answers, failures):
        jobs.sagemaker.create_inference_experiment(
            Name="trial",
            Type="ShadowMode",
            RoleArn=jobs.role,
            EndpointName=endpoint,
            Schedule={"StartTime": later, "EndTime": later + timedelta(days=1)},
            ModelVariants=[infrastructure_of("live", live), infrastructure_of("shade", shade)],
            ShadowModeConfig={
                "SourceModelVariantName": "live",
                "ShadowModelVariants": [{"ShadowModelVariantName": "shade", "SamplingPercentage": 50}],
            },
        )
        comes_to(jobs, "trial", "Created")
        jobs.sagemaker.start_inference_experiment(Name="trial")
        jobs.clary.kill("control")
        wait_until(lambda: is_there(jobs), JOB_SECONDS, "control is there again")
        found = comes_to(jobs, "trial", "Running")
        assert {each["Status"] for each in found["ModelVariants"]} == {"InService"}
        (mirrored,) = jobs.sagemaker.describe_endpoint(EndpointName=endpoint)["ShadowProductionVariants"]
        assert (mirrored["VariantName"], mirrored["CurrentWeight"]) == ("shade", 0.5)
        wait_until(more(answers, live), 60, "production answers")
        jobs.sagemaker.stop_inference_experiment(
            Name="trial", ModelVariantActions={"live": "Remove", "shade": "Promote"}, Reason="it is better"
        )
        ended = comes_to(jobs, "trial", "Completed")
        wait_until(more(answers, shade), 60, "what was promoted answers")
    assert ended["StatusReason"] == "it is better"
    assert [each["Status"] for each in ended["ModelVariants"]] == ["Deleted", "InService"]
    assert says(jobs, endpoint) == ("shade", shade)
    assert failures == []
    jobs.sagemaker.delete_inference_experiment(Name="trial")
    assert jobs.sagemaker.list_inference_experiments(NameContains="trial")["InferenceExperiments"] == []
