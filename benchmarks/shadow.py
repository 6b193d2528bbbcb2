"""What a shadow variant costs production: `python -m benchmarks.shadow`.

One endpoint without a shadow, and others that mirror every request: to a shadow that answers, to one that never does,
to one that breaks with each request. They are asked in turns by wrk; what counts are production's requests in a second
and the p99 of its answers, beside those without a shadow.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.figures import Figure, ended
from benchmarks.serving import load
from benchmarks.serving.load import Round
from tests.running import RunningClary
from tests.system.endpoints import deploy, model, variant
from tests.system.jobs import Jobs

LEAST_OF_HANGING = 0.9
"""Of the requests in a second: a shadow that hangs must cost nothing but noise."""

_REQUESTS = 5_000
_ROUNDS = 3
_SECONDS = 4
_CLIENTS = 8
_BODY = b"x"


def _signed(clary: RunningClary, endpoint: str) -> Iterator[bytes]:
    """Requests as a client would send them; no two are equal."""
    key = json.loads((clary.data_dir / "credentials.json").read_text())
    signer = SigV4Auth(Credentials(key["access_key_id"], key["secret_access_key"]), "sagemaker", "us-east-1")
    url = urlsplit(f"{clary.endpoint_url}/endpoints/{endpoint}/invocations")
    for number in range(_REQUESTS):
        headers = {"Content-Type": "text/csv", "X-Amzn-SageMaker-Inference-Id": f"request-{number}"}
        request = AWSRequest("POST", url.geturl(), data=_BODY, headers=headers)
        signer.add_auth(request)
        head = {**request.headers, "Host": url.netloc, "Content-Length": len(_BODY)}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        yield f"POST {url.path} HTTP/1.1\r\n{lines}\r\n".encode() + _BODY


def _deployed(jobs: Jobs) -> list[str]:
    """`plain`, and one endpoint for each shadow."""
    live = model(jobs, "live")
    shadows = {
        "answers": model(jobs, "shadow-answers"),
        "hangs": model(jobs, "shadow-hangs", hangs=True),
        "breaks": model(jobs, "shadow-breaks", breaks=True),
    }
    names = [deploy(jobs, "plain", variant("live", live))]
    for name, shadow in shadows.items():
        shade = variant("shade", shadow)
        names.append(deploy(jobs, name, variant("live", live), ShadowProductionVariants=[shade]))
    return names


def measure(clary: RunningClary, folder: Path) -> dict[str, list[Round]]:
    """The rounds of each endpoint."""
    rounds: dict[str, list[Round]] = {name: [] for name in _deployed(Jobs(clary))}
    for number in range(_ROUNDS + 1):
        for name, measured in rounds.items():
            requests = load.written(_signed(clary, name), folder / name)
            found = load.run(clary.port, requests, _CLIENTS, _SECONDS if number else 1)
            if number:
                measured.append(found)
                print(f"{name}: {found.per_second:.0f} req/s, p50 {found.p50:.2f}, p99 {found.p99:.2f} ms", flush=True)
    return rounds


def main() -> int:
    """1 where a shadow that hangs costs more than it may."""
    with (
        tempfile.TemporaryDirectory(prefix="clary-bench-") as folder,
        RunningClary(Path(folder) / "data") as clary,
    ):
        rounds = measure(clary, Path(folder))
    figures = list(compared(rounds))
    for figure in figures:
        print(figure.line())
    return ended(figures)


def compared(rounds: Mapping[str, Sequence[Round]]) -> Iterator[Figure]:
    """What production has left of its requests in a second, with each shadow."""
    plain = rounds["plain"]
    for name, least in (("hangs", LEAST_OF_HANGING), ("answers", 0.0), ("breaks", 0.0)):
        parts = [shadowed.per_second / alone.per_second for shadowed, alone in zip(rounds[name], plain, strict=True)]
        yield Figure(f"requests in a second beside a shadow that {name}", parts, least, "×", is_least=True)


if __name__ == "__main__":
    sys.exit(main())
