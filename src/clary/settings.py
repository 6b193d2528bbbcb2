"""What one Clary is told when it starts: read once by the command line, then passed to every process as one file."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

AuthMode = Literal["sigv4", "off"]
ComputeMode = Literal["auto", "sandbox", "docker"]

DEFAULT_PORT = 4599
DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"


def default_data_dir() -> Path:
    """The data folder of a user who names none: `CLARY_DATA_DIR`, else `~/.clary`."""
    return Path(os.environ.get("CLARY_DATA_DIR") or Path.home() / ".clary")


def default_cache_dir() -> Path:
    """Where frameworks' environments are kept, shared by all data folders: they are bought once and never hold data."""
    chosen = os.environ.get("CLARY_CACHE_DIR")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clary"


_BRINGING_CODE = ("CreateFunction", "UpdateFunctionCode", "PublishLayerVersion")


@dataclass(frozen=True)
class Limits:
    """Bounds that protect the server; each with its unit and its reason."""

    invoke_body_bytes: int = 6_291_456
    """InvokeEndpoint's payload limit on AWS; a larger body is answered 413."""

    serverless_body_bytes: int = 4 * 2**20
    """The same of a serverless endpoint; a larger body is a ValidationError there."""

    invoke_seconds: float = 60.0
    """A model has 60 seconds to answer InvokeEndpoint, as on AWS."""

    replica_seconds: float = 10.0
    """A request for which no replica can be reached waits so long for one that takes its place: within what a client's
    patience is, and most are there within half a second."""

    stream_seconds: float = 480.0
    """A model that answers part by part begins within the time of `invoke_seconds`, and has sent all after 8 minutes,
    as on AWS."""

    request_body_bytes: int = 16 * 2**20
    """Largest body of a control operation held in memory (streamed S3 bodies are not bound by it)."""

    code_body_bytes: int = 70_167_211
    """Largest request that brings code to Lambda, as on AWS: 50 MB of zip, in base64."""

    header_seconds: float = 20.0
    """A client that has not sent its whole head by then is cut off: half-open clients must not hold a place."""

    body_idle_seconds: float = 60.0
    """The longest silence within a request body."""

    clock_skew_seconds: float = 900.0
    """SigV4 requests further than 15 minutes from the server's clock are refused, as on AWS."""

    connections: int = 2048
    """Connections open at once; the next is answered 503."""

    serverless_idle_seconds: float = 300.0
    """A serverless endpoint's replica that nobody has asked for so long ends: AWS says nothing of the time."""

    serverless_start_seconds: float = 180.0
    """A request to a serverless endpoint waits so long for a replica, as AWS gives a model to be stood up."""

    stop_grace_seconds: float = 120.0
    """SIGTERM to SIGKILL for a training job that is stopped, as on AWS."""

    def body_bytes(self, service: str, operation: str) -> int:
        """The largest body of an operation."""
        if service == "sagemaker-runtime":
            return self.invoke_body_bytes
        brings_code = service == "lambda" and operation in _BRINGING_CODE
        return self.code_body_bytes if brings_code else self.request_body_bytes


@dataclass(frozen=True)
class Capacity:
    """What jobs may use of this machine together; the next one waits its turn (docs/training.md)."""

    cores: int | None = None
    """Cores for jobs; None: all that this process may use."""

    memory_bytes: int | None = None
    """Memory for jobs; None: all that there is."""

    overcommit: float = 2.0
    """So many times its cores and memory are given to instances: an `ml.m5.large` has two cores, of which most scripts
    keep one busy, and far more memory than they touch (docs/decisions/0010)."""


@dataclass(frozen=True)
class Settings:
    """One Clary: where it keeps its data, where it listens, whom it trusts."""

    data_dir: Path = field(default_factory=default_data_dir)
    cache_dir: Path = field(default_factory=default_cache_dir)
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    tls_port: int | None = None
    """Where it listens with TLS as well, if anywhere."""
    account_id: str = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    """The region that `clary env` gives to clients; a client may use any other."""
    auth: AuthMode = "sigv4"
    allow_reset: bool = False
    unconfined: bool = False
    """Run containers without namespaces: only by the user's own word, only code that the user trusts."""
    compute: ComputeMode = "auto"
    """Where containers run: images of a container engine there and all others in sandboxes, or only one of the two."""
    http_targets: tuple[str, ...] = ()
    """Places of this machine (`127.0.0.1:8000`) that API Gateway's HTTP integrations may ask; other machines they may
    always (docs/decisions/0026)."""
    limits: Limits = field(default_factory=Limits)
    capacity: Capacity = field(default_factory=Capacity)
    lanes: int | None = None
    """Processes that help the edge with predictions while it is busy, at most; None: one for each core but the first,
    and no more than three (docs/decisions/0068)."""

    @property
    def run_dir(self) -> Path:
        """Sockets, published files and containers of the running Clary."""
        return self.data_dir / "run"

    @property
    def containers_dir(self) -> Path:
        """One folder per container: its bundle, lock, handle and exit record."""
        return self.run_dir / "containers"

    @property
    def logs_dir(self) -> Path:
        """Log streams' files: they outlive the containers that wrote them."""
        return self.data_dir / "logs"

    @property
    def objects_dir(self) -> Path:
        """The object store: its database and its files."""
        return self.data_dir / "objects"

    @property
    def capture_dir(self) -> Path:
        """What endpoints have captured, on its way to objects."""
        return self.data_dir / "capture"

    @property
    def asynchronous_dir(self) -> Path:
        """Requests to asynchronous endpoints, until they are answered."""
        return self.data_dir / "asynchronous"

    @property
    def images_dir(self) -> Path:
        """The user's own images (`clary images add`)."""
        return self.data_dir / "images"

    @property
    def tls_dir(self) -> Path:
        """What `clary images setup` leaves: the registry's certificate and key, and where its names lead."""
        return self.data_dir / "tls"

    @property
    def authority_dir(self) -> Path:
        """The certificate by which containers know AWS's hosts here (`compute/authority.py`)."""
        return self.data_dir / "authority"

    @property
    def functions_dir(self) -> Path:
        """The code of functions and layers, packed and unpacked; events that wait for their function."""
        return self.data_dir / "functions"

    @property
    def hooks_dir(self) -> Path:
        """What the runs of hooks have fetched."""
        return self.data_dir / "hooks"

    @property
    def database(self) -> Path:
        """The control database: rows and specs."""
        return self.data_dir / "clary.db"

    @property
    def messages_database(self) -> Path:
        """Messages of queues."""
        return self.data_dir / "messages.db"

    @property
    def series_database(self) -> Path:
        """The metrics' series."""
        return self.data_dir / "metrics.db"

    @property
    def endpoint_url(self) -> str:
        """Where this machine's own programs ask."""
        return f"http://{self.host}:{self.port}"

    @property
    def client_url(self) -> str:
        """What `AWS_ENDPOINT_URL` is set to: the one with TLS where there is one."""
        return self.endpoint_url if self.tls_port is None else f"https://{self.host}:{self.tls_port}"

    def dumps(self) -> str:
        """As JSON, for `loads` in another process."""
        return json.dumps(asdict(self), default=str, indent=1)

    @classmethod
    def loads(cls, text: str) -> Settings:
        """The inverse of `dumps`."""
        raw: dict[str, Any] = json.loads(text)
        known = {f.name for f in fields(cls)}
        values = {name: value for name, value in raw.items() if name in known}
        values["limits"] = Limits(**raw["limits"])
        values["capacity"] = Capacity(**raw.get("capacity", {}))
        values["http_targets"] = tuple(raw.get("http_targets", ()))
        values["data_dir"], values["cache_dir"] = Path(raw["data_dir"]), Path(raw["cache_dir"])
        return cls(**values)
