"""Hooks: a push to a plain git server becomes an image, a training job and an endpoint that answers with it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clary.edge.door import ControlDoor
from clary.settings import Settings
from clary.supervisor.log import log_path
from tests.running import RunningClary, wait_until

EXAMPLE = Path(__file__).parents[2] / "examples" / "hooks"
SECONDS = 120

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("hooks")]


@dataclass
class Team:
    """A git server, whoever pushes to it, and a hook."""

    clary: RunningClary
    folder: Path
    secret: str = ""

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def git(self, *arguments: str, at: Path | None = None) -> str:
        """What git says, to a user without settings."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        author = {f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        done = subprocess.run(
            ["git", *arguments],
            cwd=at or self.work,
            env={**own, **author, "GIT_CONFIG_GLOBAL": "/dev/null"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def open(self) -> None:
        """The bare repository, the hook, and the example's folder in a clone."""
        self.git("init", "--quiet", "--bare", "--initial-branch=main", "server.git", at=self.folder)
        added = self.clary.run(
            *("hooks", "add", "heights", "--repository", f"file://{self.folder}/server.git", "--allow-local"),
            *("--folder", "program", "--image", "heights", "--then", str(EXAMPLE / "steps.json")),
        ).stdout
        self.secret = next(line.split()[1] for line in added.splitlines() if line.startswith("  secret"))
        (self.folder / "secret").write_text(self.secret)
        server = self.folder / "server.git"
        shutil.copy(EXAMPLE / "post-receive", server / "hooks" / "post-receive")
        self.git("config", "clary.address", f"{self.clary.endpoint_url}/_clary/hooks/heights", at=server)
        self.git("config", "clary.secretFile", str(self.folder / "secret"), at=server)
        self.git("clone", "--quiet", str(server), str(self.work), at=self.folder)
        shutil.copytree(EXAMPLE / "program", self.work / "program")
        self.git("checkout", "--quiet", "-B", "main")

    def push(self, digits: int, branch: str = "main") -> str:
        """A commit whose predictions have so many digits; what the pusher reads."""
        train = self.work / "program" / "train"
        lines = train.read_text().splitlines(keepends=True)
        train.write_text("".join(f"DIGITS = {digits}\n" if line.startswith("DIGITS") else line for line in lines))
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", f"{digits} digits")
        return self.git("push", "origin", f"HEAD:{branch}")

    def runs(self) -> list[dict[str, Any]]:
        """Of the hook, oldest first."""
        control = ControlDoor(self.clary.data_dir / "run" / "control.sock")
        shown = asyncio.run(control.ask("hook-show", {"name": "heights"}))
        found: list[dict[str, Any]] = shown["runs"]
        return found

    def reached(self, number: int, *statuses: str) -> dict[str, Any]:
        """The run, as soon as it is in one of these."""

        def there() -> dict[str, Any] | None:
            found = next((run for run in self.runs() if run["number"] == number), None)
            if found and found["status"] == "Failed" not in statuses:
                raise AssertionError(found)
            return found if found and found["status"] in statuses else None

        found: dict[str, Any] = wait_until(there, SECONDS, f"run {number} is {' or '.join(statuses)}")
        return found

    def deliver(self, body: bytes, signature: str = "", **headers: str) -> tuple[int, dict[str, Any]]:
        """Status and answer of a delivery by hand, from a name that is not Clary's own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.clary.port, timeout=30)
        signed = {"X-Hub-Signature-256": f"sha256={signature}"} if signature else {}
        said = {"Host": "clary.example.org", "X-GitHub-Event": "push", **signed, **headers}
        connection.request("POST", "/_clary/hooks/heights", body, said)
        answer = connection.getresponse()
        read = json.loads(answer.read())
        connection.close()
        return answer.status, read

    def sign(self, body: bytes) -> str:
        return hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.fixture(scope="module")
def team(shared: RunningClary, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    s3 = shared.client("s3")
    s3.create_bucket(Bucket="heights")
    s3.upload_file(str(EXAMPLE / "heights.csv"), "heights", "train/heights.csv")
    opened = Team(shared, tmp_path_factory.mktemp("team"))
    opened.open()
    yield opened


def ask(clary: RunningClary) -> str:
    """What 172 cm weigh."""
    answer = clary.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="heights", ContentType="text/csv", Body=b"172"
    )
    text: str = answer["Body"].read().decode()
    return text


def test_a_push_becomes_an_endpoint(team: Team) -> None:
    assert "run 1 is queued" in team.push(1)
    run = team.reached(1, "Succeeded")
    assert ask(team.clary) == "66.8"
    assert run["commit"] == team.git("rev-parse", "HEAD").strip()
    assert run["subject"] == "1 digits"
    shown = team.clary.run("hooks", "show", "heights").stdout
    assert f"training job {run['unique']} is created" in shown
    assert "endpoint heights serves it" in shown


def test_the_next_push_is_served_there_though_control_is_killed_and_nothing_is_made_twice(team: Team) -> None:
    assert "run 2 is queued" in team.push(3)
    team.reached(2, "Building", "Training")
    team.clary.kill("control")
    run = team.reached(2, "Succeeded")
    assert ask(team.clary) == "66.799"
    sagemaker = team.clary.client("sagemaker")
    assert sagemaker.describe_endpoint(EndpointName="heights")["EndpointConfigName"] == run["unique"]
    jobs = sagemaker.list_training_jobs(NameContains="heights-2-")["TrainingJobSummaries"]
    models = sagemaker.list_models(NameContains="heights-2-")["Models"]
    assert [made["TrainingJobName"] for made in jobs] + [made["ModelName"] for made in models] == [run["unique"]] * 2


def test_what_is_not_signed_with_the_secret_is_refused(team: Team) -> None:
    body = json.dumps({"ref": "refs/heads/main", "after": "1" * 40}).encode()
    before = team.runs()
    assert team.deliver(body)[0] == 401
    assert team.deliver(body, "0" * 64)[0] == 403
    assert team.deliver(body + b" ", team.sign(body))[0] == 403
    assert team.runs() == before
    log = log_path(Settings(data_dir=team.clary.data_dir)).read_text()
    assert "a delivery to hook 'heights' from 127.0.0.1 was refused: The delivery is not signed." in log


def test_pushes_to_other_branches_are_left_alone(team: Team) -> None:
    body = json.dumps({"ref": "refs/heads/other", "after": "1" * 40}).encode()
    assert team.deliver(body, team.sign(body)) == (200, {"message": "Only pushes to main are built."})


def test_what_was_delivered_before_is_refused_and_of_those_that_wait_the_newest_counts(team: Team) -> None:
    body = json.dumps({"ref": "refs/heads/main", "after": "2" * 40}).encode()
    name = str(uuid.uuid4())
    status, said = team.deliver(body, team.sign(body), **{"X-GitHub-Delivery": name})
    assert status == 202
    again = team.deliver(body, team.sign(body), **{"X-GitHub-Delivery": str(uuid.uuid4())})
    assert again == (409, {"message": f"This was delivered before: it is run {said['run']}."})
    other = body + b" "
    assert team.deliver(other, team.sign(other), **{"X-GitHub-Delivery": name})[0] == 409
    team.reached(said["run"], "Fetching", "Building", "Training")
    team.push(4)
    team.push(0)
    newest = said["run"] + 2
    assert team.reached(newest - 1, "Skipped")["reason"] == f"a newer push is to be built: run {newest}"
    team.reached(newest, "Succeeded")
    assert team.reached(said["run"], "Succeeded")
    assert ask(team.clary) == "67.0"


def test_a_run_that_fails_says_why_and_leaves_the_endpoint_as_it_was(team: Team) -> None:
    (team.work / "program" / "train").write_text("#!/bin/sh\necho 'no data' > /opt/ml/output/failure; exit 1\n")
    team.git("commit", "--quiet", "-am", "breaks")
    team.git("push", "origin", "HEAD:main")
    run = team.reached(team.runs()[-1]["number"], "Failed")
    assert run["reason"] == f"training job {run['unique']}: AlgorithmError: no data, exit code: 1"
    assert ask(team.clary)
