"""What Terraform's aws provider looks at for a minute until it believes that it stays: queues, lifecycle rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running import RunningClary
from tests.terraform import Terraform

ALL_SECONDS = 900
"""Of which the provider waits two minutes."""


@pytest.mark.timeout(ALL_SECONDS)
def test_queues_and_lifecycle_rules_are_applied_have_no_differences_and_are_destroyed(tmp_path: Path) -> None:
    (tmp_path / "terraform").mkdir()
    with RunningClary(tmp_path / "data") as clary:
        terraform = Terraform(tmp_path / "terraform", clary.environment, "main.tf", "awaited.tf")
        terraform.apply()
        assert terraform.differences() == ""
        terraform.destroy()
        assert clary.client("sqs").list_queues(QueueNamePrefix="terraform-").get("QueueUrls", []) == []
