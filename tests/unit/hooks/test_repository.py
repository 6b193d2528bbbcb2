"""Addresses that are fetched from, and what git is told."""

import base64
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from clary.errors import ValidationError
from clary.hooks.repository import Repository, check, environment, fetch
from clary.workload.errors import Cancelled, WorkloadError


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.org/team/model.git",
        "http://127.0.0.1:3000/team/model.git",
        "ssh://git@git.example.org:2222/model.git",
        "git://git.example.org/model.git",
        "git@git.example.org:team/model.git",
    ],
    ids=range(5),
)
def test_addresses_of_repositories(url):
    check(Repository(url, "main"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "model",
        "ext::sh -c id",
        "--upload-pack=id",
        "ftp://example.org/model.git",
        "https:///model.git",
        "https://git.example.org/a b",
        "https://ada:pass@git.example.org/model.git",
        "https://token@git.example.org/model.git",
        "ssh://-oProxyCommand=id/model.git",
        "/srv/model.git",
        "file:///srv/model.git",
        "https://[",
    ],
    ids=range(13),
)
def test_what_is_no_address_to_fetch_from(url):
    with pytest.raises(ValidationError):
        check(Repository(url, "main"))


def test_a_folder_of_this_machine_takes_consent():
    check(Repository("file:///srv/model.git", "main", local=True))
    with pytest.raises(ValidationError, match="--allow-local"):
        check(Repository("/srv/model.git", "main"))


def test_a_token_goes_by_tls_only():
    check(Repository("https://git.example.org/model.git", "main", token="t"))
    with pytest.raises(ValidationError, match="https:// addresses only"):
        check(Repository("http://git.example.org/model.git", "main", token="t"))


@pytest.mark.parametrize("branch", ["main", "team/new-model", "v1.2", "größe"])
def test_names_of_branches(branch):
    check(Repository("https://example.org/m.git", branch))


@pytest.mark.parametrize(
    "branch", ["", "-f", "a..b", "/a", "a/", "a//b", "a.lock", "a@{1}", "a b", "a:b", "a*", ".a", "a/.b", "a\n", "a."]
)
def test_what_is_no_branch(branch):
    with pytest.raises(ValidationError):
        check(Repository("https://example.org/m.git", branch))


def test_git_knows_nothing_of_the_user_and_the_token_stands_in_no_argument():
    environ = {"HOME": "/home/ada", "GIT_SSH_COMMAND": "evil", "GIT_DIR": "/", "PATH": "/bin", "AWS_SECRET": "s"}
    told = environment(Repository("https://example.org/m.git", "main", token="t0k"), environ)
    assert told["GIT_CONFIG_GLOBAL"] == "/dev/null"
    assert told["GIT_ALLOW_PROTOCOL"] == "https:http:ssh:git"
    assert not {"HOME", "GIT_DIR", "AWS_SECRET"} & set(told)
    settings = {
        told[f"GIT_CONFIG_KEY_{n}"]: told[f"GIT_CONFIG_VALUE_{n}"] for n in range(int(told["GIT_CONFIG_COUNT"]))
    }
    basic = base64.b64encode(b"x-access-token:t0k").decode()
    assert settings["http.extraHeader"] == f"Authorization: Basic {basic}"
    assert settings["http.followRedirects"] == "false"


@pytest.fixture
def team(tmp_path):
    """A repository with one commit on `main`; `commit()` makes another."""
    here = tmp_path / "team"

    def git(*arguments):
        said = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "core.hooksPath=/dev/null")
        return subprocess.run(["git", *said, *arguments], cwd=here, check=True, capture_output=True, text=True).stdout

    def commit(subject="one more"):
        git("add", ".")
        git("commit", "--quiet", "-m", subject)
        return git("rev-parse", "HEAD").strip()

    here.mkdir()
    git("init", "--quiet", "--initial-branch=main")
    (here / "train").write_text("first")
    commit()
    return here, commit


def fetched(here, target, branch="main", ended=lambda: False):
    return fetch(Repository(f"file://{here}", branch, local=True), target, ended)


def test_the_newest_commit_replaces_what_was_there(team, tmp_path):
    here, commit = team
    target = tmp_path / "runs" / "1"
    fetched(here, target)
    (target / "debris").touch()
    (here / "train").write_text("second")
    newest = commit()
    found = fetched(here, target)
    assert (found.id, found.subject) == (newest, "one more")
    assert (target / "train").read_text() == "second"
    assert [path.name for path in target.iterdir()] == ["train"]
    assert [path.name for path in target.parent.iterdir()] == ["1"]


def test_containers_may_read_it_whoever_fetches(team, tmp_path):
    before = os.umask(0o077)
    try:
        fetched(team[0], tmp_path / "1")
    finally:
        os.umask(before)
    assert (tmp_path / "1").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "1" / "train").stat().st_mode & 0o777 == 0o644


def test_a_subject_cannot_move_a_terminals_cursor(team, tmp_path):
    here, commit = team
    (here / "train").write_text("second")
    commit("a\x1b[2Jb")
    assert fetched(here, tmp_path / "1").subject == "a?[2Jb"


def test_neither_attributes_nor_modules_of_the_repository_run_anything(team, tmp_path):
    here, commit = team
    (here / ".gitattributes").write_text("train filter=lfs\n")
    (here / ".gitmodules").write_text('[submodule "m"]\n path = m\n url = ext::sh -c "touch /tmp/never"\n')
    (here / "clary").mkdir()
    (here / "clary" / "__init__.py").write_text("raise SystemExit('the repository was imported')")
    commit()
    fetched(here, tmp_path / "1")
    assert (tmp_path / "1" / "train").read_text() == "first"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../secret", "a/../../.."], ids=["absolute", "above", "through"])
def test_a_link_that_leads_out_is_refused(team, tmp_path, target):
    here, commit = team
    (here / "a").mkdir()
    (here / "a" / "b").touch()
    (here / "requirements.txt").symlink_to(target)
    commit()
    with pytest.raises(WorkloadError, match=r"requirements.txt is a link that leads out"):
        fetched(here, tmp_path / "1")
    assert not (tmp_path / "1").exists()


def test_a_link_within_is_kept(team, tmp_path):
    here, commit = team
    (here / "serve").symlink_to("train")
    commit()
    fetched(here, tmp_path / "1")
    assert (tmp_path / "1" / "serve").read_text() == "first"


def test_a_branch_that_is_not_there_is_said(team, tmp_path):
    with pytest.raises(WorkloadError, match="couldn't find remote ref refs/heads/other"):
        fetched(team[0], tmp_path / "1", "other")


def test_what_is_not_wanted_any_more_is_ended(team, tmp_path):
    with pytest.raises(Cancelled):
        fetched(team[0], tmp_path / "1", ended=lambda: True)
    assert list(tmp_path.glob("new-*")) == []


class Forge(BaseHTTPRequestHandler):
    """A git server that lets in who knows the password; git's own program behind it (git-http-backend(1))."""

    root: Path

    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["content-length"])))

    def answer(self, body):
        if self.headers["authorization"] != "Basic " + base64.b64encode(b"x-access-token:t0k").decode():
            self.send_response(401)
            self.send_header("www-authenticate", 'Basic realm="forge"')
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        asked = {
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "PATH": os.environ["PATH"],
            "GIT_PROTOCOL": self.headers.get("git-protocol", ""),
        }
        if self.headers.get("content-encoding") == "gzip":
            asked["HTTP_CONTENT_ENCODING"] = "gzip"
        said = subprocess.run(["git", "http-backend"], env=asked, input=body, capture_output=True, check=True).stdout
        head, _, content = said.partition(b"\r\n\r\n")
        self.send_response(200)
        for line in head.decode().splitlines():
            self.send_header(*line.split(": ", 1))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Not a line for each request."""


@pytest.fixture
def forge(team):
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Forge,), {"root": team[0].parent}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/team/.git"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_private_repository_is_fetched_with_its_token(forge, tmp_path):
    fetch(Repository(forge, "main", token="t0k"), tmp_path / "1", lambda: False)
    assert (tmp_path / "1" / "train").read_text() == "first"


def test_a_wrong_token_is_not_told(forge, tmp_path):
    with pytest.raises(WorkloadError) as refused:
        fetch(Repository(forge, "main", token="wr0ng"), tmp_path / "1", lambda: False)
    said = refused.value.reason
    assert "terminal prompts disabled" in said
    assert "wr0ng" not in said
    assert base64.b64encode(b"x-access-token:wr0ng").decode() not in said
