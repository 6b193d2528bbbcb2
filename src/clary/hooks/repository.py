"""A commit of a repository, fetched by a git that trusts nobody: the named branch and nothing else of it, no hooks, no
submodules, no filters, no settings of the user's, only the protocols that were allowed."""

from __future__ import annotations

import base64
import os
import re
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from clary.errors import ValidationError
from clary.hooks.children import run
from clary.hooks.deliveries import plain
from clary.workload.errors import WorkloadError

SECONDS = 600.0
"""A repository that has not come by then does not come."""

_LAST_LINES = 20
_SCHEMES = ("https", "http", "ssh", "git")
_SCP = re.compile(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:(?!:)[^\s]+\Z")
"""`git@example.org:team/model.git`."""
_BRANCH = re.compile(r"(?![-/.])(?!.*(?:\.\.|//|/\.|\.lock(?:/|\Z)|@\{))[^\x00-\x20\x7f~^:?*\[\\]{1,200}(?<![/.])\Z")
"""git-check-ref-format(1)."""
_KEPT = (
    "PATH",
    "LANG",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
)
"""Variables that say how the network is reached."""
_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.symlinks": "true",
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
    "transfer.fsckObjects": "true",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
}


@dataclass(frozen=True)
class Repository:
    """Where to fetch from. `token` is a password, or `USER:PASSWORD`; `local` says that it may lie on this machine."""

    url: str
    branch: str
    token: str = ""
    local: bool = False


@dataclass(frozen=True)
class Commit:
    """What was fetched."""

    id: str
    subject: str


def check(repository: Repository) -> None:
    """Raises ValidationError where its address or branch is none that is fetched from."""
    if not _BRANCH.match(repository.branch):
        raise ValidationError(f"{repository.branch!r} is no name of a branch.")
    url = repository.url
    if _is_local(url):
        if not repository.local:
            raise ValidationError(f"{url} lies on this machine: give --allow-local to fetch from there.")
    elif not _SCP.match(url):
        _check_address(url)
    if repository.token and not _may_carry_secrets(urlsplit(url)):
        raise ValidationError("A token goes to https:// addresses only.")


def _is_local(url: str) -> bool:
    return url.startswith(("/", "file://"))


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValidationError(f"{url!r} is no address of a repository.") from error
    if parts.scheme not in _SCHEMES or not parts.hostname or re.search(r"[\x00-\x20\x7f]", url):
        known = ", ".join(f"{scheme}://…" for scheme in _SCHEMES)
        raise ValidationError(f"{url!r} is no address of a repository: {known} or user@host:path.")
    if parts.hostname.startswith("-"):  # ssh would take it for an option
        raise ValidationError(f"{url!r} is no address of a repository.")
    if parts.password or (parts.username and parts.scheme != "ssh"):
        raise ValidationError("Addresses are shown in logs: leave the password out, and give --token-file.")


def _may_carry_secrets(parts: SplitResult) -> bool:
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost"))


def fetch(repository: Repository, target: Path, ended: Callable[[], bool]) -> Commit:
    """Check out the branch's newest commit as the folder `target`, without `.git`; what was there before is replaced.

    Raises WorkloadError with what git says, Cancelled as soon as `ended`.
    """
    if shutil.which("git") is None:
        raise WorkloadError("git is not on this machine, with which repositories are fetched. Install it.")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="new-", dir=target.parent))
    fresh.chmod(0o755)  # containers have users of their own, who read what becomes of it
    try:
        commit = _check_out(_Git(repository, fresh, ended))
        shutil.rmtree(fresh / ".git")
        refuse_ways_out(fresh)
        shutil.rmtree(target, ignore_errors=True)
        fresh.replace(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return commit


def _check_out(git: _Git) -> Commit:
    git("init", "--quiet", "--template=", ".")
    refspec = f"+refs/heads/{git.repository.branch}:refs/heads/fetched"
    git("fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", git.repository.url, refspec)
    git("checkout", "--quiet", "--force", "--no-recurse-submodules", "fetched", "--")
    commit, _, subject = git("log", "-1", "--no-show-signature", "--format=%H %s").strip().partition(" ")
    return Commit(commit, subject[:200])


def refuse_ways_out(folder: Path) -> None:
    """Raises WorkloadError where a link leads out of `folder`: whoever reads it would read this machine's files."""
    root = folder.resolve()
    for path in _links(folder):
        if not path.resolve().is_relative_to(root):
            raise WorkloadError(f"{path.relative_to(folder)} is a link that leads out of the repository.")


def _links(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        yield from (path for name in (*folders, *files) if (path := Path(where, name)).is_symlink())


class _Git:
    """Commands in one folder."""

    def __init__(self, repository: Repository, folder: Path, ended: Callable[[], bool]) -> None:
        self.repository = repository
        self._folder = folder
        self._ended = ended
        self._deadline = time.monotonic() + SECONDS
        self._env = environment(repository, os.environ)

    def __call__(self, *arguments: str) -> str:
        """What it prints. Raises WorkloadError with the end of that where it fails."""
        settings = (word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}"))
        said: deque[str] = deque(maxlen=_LAST_LINES)
        left = self._deadline - time.monotonic()
        code = run(
            ["git", *settings, *arguments],
            self._env,
            self._folder,
            lambda line: said.append(plain(line)),
            self._ended,
            left,
        )
        words = self._shown("\n".join(said))
        if code:
            raise WorkloadError(f"git {arguments[0]} of {self.repository.url} failed: {words or f'exit code {code}'}")
        return words

    def _shown(self, text: str) -> str:
        token = self.repository.token
        return text.replace(token, "…") if token else text


def environment(repository: Repository, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for git; the token among them, since everybody may read arguments."""
    return {
        **{name: environ[name] for name in _KEPT if name in environ},
        **(_login(repository.token) if repository.token else {}),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": ":".join((*_SCHEMES, *(("file",) if repository.local else ()))),
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oControlMaster=no -oControlPath=none",
        "GIT_LFS_SKIP_SMUDGE": "1",
    }


def _login(token: str) -> dict[str, str]:
    """It goes to the repository's own host: redirections are not followed."""
    user = token if ":" in token else f"x-access-token:{token}"
    basic = base64.b64encode(user.encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
        "GIT_CONFIG_KEY_1": "http.followRedirects",
        "GIT_CONFIG_VALUE_1": "false",
    }
