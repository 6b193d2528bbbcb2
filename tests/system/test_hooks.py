"""Hooks: a push to a plain git server becomes an image, a training job and an endpoint that answers with it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clary.edge.door import ControlDoor
from clary.errors import ServiceUnavailable
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

    def push(self, digits: int) -> str:
        """A commit whose predictions have so many digits; what the pusher reads."""
        given = (EXAMPLE / "program" / "train").read_text()
        (self.work / "program" / "train").write_text(given.replace("DIGITS = 1", f"DIGITS = {digits}"))
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", f"{digits} digits")
        return self.git("push", "origin", "HEAD:main")

    def push_program(self, text: str) -> int:
        """A commit with this as `train`; the run's number."""
        (self.work / "program" / "train").write_text(text)
        self.git("commit", "--quiet", "-am", "another program")
        found = re.search(r"run (\d+) is queued", self.git("push", "origin", "HEAD:main"))
        assert found
        return int(found[1])

    def runs(self) -> list[dict[str, Any]]:
        """Of the hook, oldest first."""
        control = ControlDoor(self.clary.data_dir / "run" / "control.sock")
        shown = asyncio.run(control.ask("hook-show", {"name": "heights"}))
        found: list[dict[str, Any]] = shown["runs"]
        return found

    def reached(self, number: int, *statuses: str) -> dict[str, Any]:
        """The run, as soon as it is in one of these."""

        def there() -> dict[str, Any] | None:
            try:
                found = next((run for run in self.runs() if run["number"] == number), None)
            except ServiceUnavailable:  # control is being started
                return None
            if found and found["status"] == "Failed" not in statuses:
                raise AssertionError(found)
            return found if found and found["status"] in statuses else None

        found: dict[str, Any] = wait_until(there, SECONDS, f"run {number} is {' or '.join(statuses)}")
        return found

    def deliver(self, body: bytes, signature: str = "", **headers: str) -> tuple[int, dict[str, Any]]:
        """Status and answer of a delivery by hand, from a name that is not Clary's own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.clary.port, timeout=60)
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
    team.reached(2, "Building", "Training", "Deploying", "Succeeded")
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
    first = team.push_program("#!/bin/sh\nexec sleep 600\n")
    job = team.reached(first, "Training")["unique"]
    body = json.dumps({"ref": "refs/heads/main", "after": "2" * 40}).encode()
    name = str(uuid.uuid4())
    said = team.deliver(body, team.sign(body), **{"X-GitHub-Delivery": name})
    assert said == (202, {"run": first + 1, "status": "Queued"})
    again = team.deliver(body, team.sign(body), **{"X-GitHub-Delivery": str(uuid.uuid4())})
    assert again == (409, {"message": f"This was delivered before: it is run {first + 1}."})
    other = body + b" "
    assert team.deliver(other, team.sign(other), **{"X-GitHub-Delivery": name})[0] == 409
    newest = team.push_program((EXAMPLE / "program" / "train").read_text().replace("DIGITS = 1", "DIGITS = 0"))
    skipped = team.reached(first + 1, "Skipped")
    assert skipped["reason"] == f"a newer push is to be built: run {newest}"
    sagemaker = team.clary.client("sagemaker")
    wait_until(lambda: sagemaker.list_training_jobs(NameContains=job)["TrainingJobSummaries"], 60, "the job is there")
    sagemaker.stop_training_job(TrainingJobName=job)
    assert team.reached(first, "Failed")["reason"] == f"training job {job}: it was stopped"
    team.reached(newest, "Succeeded")
    assert ask(team.clary) == "67.0"


def test_a_run_that_fails_says_why_and_leaves_the_endpoint_as_it_was(team: Team) -> None:
    number = team.push_program("#!/bin/sh\necho 'no data' > /opt/ml/output/failure; exit 1\n")
    run = team.reached(number, "Failed")
    assert run["reason"] == f"training job {run['unique']}: AlgorithmError: no data, exit code: 1"
    assert ask(team.clary)


def test_it_may_do_what_its_role_may_and_no_more(team: Team) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = team.clary.client("iam").create_role(
        RoleName="Nobody", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    team.clary.run(
        *("hooks", "add", "powerless", "--repository", str(team.folder / "server.git"), "--allow-local"),
        *("--folder", "program", "--image", "powerless", "--then", str(EXAMPLE / "steps.json"), "--role", role),
    )
    done = team.clary.run("hooks", "run", "powerless", "--wait", check=False)
    assert done.returncode == 1
    assert "AccessDeniedException" in done.stderr
    assert "assumed-role/Nobody/hook-powerless is not authorized to perform: sagemaker:" in done.stderr


def test_a_hook_that_is_removed_is_nobodys_address(team: Team) -> None:
    assert "powerless" in team.clary.run("hooks", "list").stdout
    team.clary.run("hooks", "rm", "powerless")
    assert "powerless" not in team.clary.run("hooks", "list").stdout
    assert team.deliver(b"{}")[0] == 401
    team.clary.run("reset")
    assert "No hooks." in team.clary.run("hooks", "list").stdout
    assert team.deliver(b"{}")[0] == 404
    assert not list((team.clary.data_dir / "hooks").glob("*/*"))
