"""`python -m clary.app.edge`: the process next to the sockets. Reads; writes bodies of objects, and what is
captured of endpoints; nothing else."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache

from clary.apis.answering import Apis
from clary.apis.permissions import permits
from clary.app import process
from clary.calls import Call
from clary.compute.authority import Authority
from clary.compute.dial import SandboxDial
from clary.compute.launch import CERTIFICATE, KEY
from clary.compute.machine import machine
from clary.compute.reach import SandboxReach
from clary.distribution.login import Login
from clary.distribution.registry import Registry
from clary.distribution.uploads import Pushing
from clary.edge import access_logs, usage, uses
from clary.edge.asynchronous import AsyncEffects
from clary.edge.bodies import Bodies
from clary.edge.buckets import BUCKETS, Buckets
from clary.edge.code import CODE, Code
from clary.edge.door import ControlDoor
from clary.edge.hooks import HookSite
from clary.edge.internal import Internal
from clary.edge.lanes import Lanes
from clary.edge.predictions import Predictions
from clary.edge.reporting import report
from clary.edge.server import Beside, Secure, serve
from clary.errors import ClaryError
from clary.functions.environment import Place
from clary.functions.events import Events
from clary.functions.invoking import Functions
from clary.functions.limits import concurrency
from clary.functions.pool import Start
from clary.functions.table import Function, Version
from clary.gateway.api_effects import EdgeEffects
from clary.gateway.api_site import ApiSite
from clary.gateway.asgi import Gateway
from clary.gateway.cors import Cors, Preflights
from clary.gateway.form_uploads import FormUploads
from clary.gateway.function_letters import FunctionLetters
from clary.gateway.function_urls import FunctionUrls
from clary.gateway.identity import Identity
from clary.gateway.websites import Websites
from clary.identity.sealing import Sealer
from clary.objects.intake import Intake
from clary.objects.reader import ObjectReader
from clary.queues.waiting import Waiting
from clary.services.catalogue import REGISTRY
from clary.services.context import EdgeContext
from clary.services.s3.granting import ExistingTags, Granting
from clary.serving.asynchronous.work import AsyncWork
from clary.serving.concurrency import Concurrency
from clary.serving.many_models import Models, Note
from clary.serving.metering import Meter
from clary.serving.mirror import Mirror
from clary.serving.recorder import Recorder
from clary.serving.router import Router
from clary.serving.serverless import QUESTION, Serverless
from clary.serving.sessions import Sessions
from clary.settings import Settings
from clary.supervisor.child import Child
from clary.supervisor.programs import composed
from clary.workload.bundle import Bundle

_MOST_LANES = 3
"""Unless said otherwise: replicas need cores too."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Edge:
    """What the edge holds."""

    settings: Settings
    objects: ObjectReader
    intake: Intake
    router: Router
    serverless: Serverless
    meter: Meter
    mirror: Mirror
    models: Models
    recorder: Recorder
    sessions: Sessions
    functions: Functions
    events: Events
    identity: Identity
    door: ControlDoor
    queues: Waiting

    @classmethod
    def of(cls, settings: Settings) -> Edge:
        """Opens nothing that control must have made before: either may start first."""
        door = ControlDoor(settings.run_dir / "control.sock")
        objects = ObjectReader(settings.objects_dir)
        identity = Identity(settings, Granting(objects), ExistingTags(objects))
        letters = FunctionLetters(REGISTRY, identity, door, door.ask, settings.account_id)
        functions = Functions(
            settings.run_dir,
            environments(door),
            SandboxReach(settings.containers_dir),
            concurrency(machine(settings.capacity).memory_bytes),
        )
        router = Router(settings.run_dir, SandboxDial(settings.containers_dir))
        return cls(
            settings,
            objects,
            Intake(settings.objects_dir),
            router,
            serverless(settings, router, door),
            Meter(),
            Mirror(),
            Models(lambda params: door.ask("load-model", params), noting(settings)),
            Recorder(settings.capture_dir / "spool"),
            Sessions(settings.run_dir / "sessions"),
            functions,
            Events(settings.functions_dir / "events", functions, letters),
            identity,
            door,
            Waiting(door.ask),
        )

    def context(self, call: Call) -> EdgeContext:
        """For one operation that is carried out here."""
        return EdgeContext(
            call,
            self.settings,
            self.objects,
            self.router,
            self.serverless,
            self.meter,
            self.mirror,
            self.models,
            self.recorder,
            self.sessions,
            self.functions,
            self.events,
            self.apis,
            self.asynchronous,
            self.queues,
            lambda access: self.identity.authorise(call, [access]),
            self.door,
            self.door.ask,
        )

    def gateway(self) -> Gateway:
        """All of it behind HTTP."""
        cors = Cors(self.objects)
        internal = Internal(self.settings, self.door, Sealer.of(self.settings.data_dir))
        return Gateway(
            registry=REGISTRY,
            keyring=self.identity,
            authorizer=self.identity,
            control=self.door,
            edge_context=self.context,
            bodies=self.bodies,
            settings=self.settings,
            internal={
                **internal.handlers(),
                BUCKETS: Buckets(self.objects).answer,
                CODE: Code(self.settings).answer,
            },
            sites=(
                self.registry(),
                self.function_urls(),
                ApiSite(self.apis, self.identity, self.identity, self.settings),
                HookSite(self.settings, self.door),
                Websites(self.objects, self.identity, self.context, self.settings),
                FormUploads(self.identity, self.identity, self.door, self.bodies, cors, self.settings),
                Preflights(cors, self.settings),
            ),
            pages=cors.headers,
        )

    @cached_property
    def bodies(self) -> Bodies:
        """What takes in the bodies of objects."""
        return Bodies(self.objects, self.intake, self.door)

    def lanes(self) -> Lanes:
        """What helps with predictions."""

        def make(theirs: socket.socket) -> Child:
            return Child(composed("lane", self.settings, [theirs]), sys.stderr.fileno())

        cores = len(os.sched_getaffinity(0))
        most = min(cores - 1, _MOST_LANES) if self.settings.lanes is None else self.settings.lanes
        return Lanes(Predictions(self.router, self.settings.host), make, most)

    def beside_predictions(self) -> list[Beside]:
        """What runs as long as a process answers predictions, a lane's too."""
        return [
            self.router.watch,
            self.recorder.watch,
            lambda: report(self.meter, self.door),
            lambda: uses.report(self.identity.uses, self.door.ask),
        ]

    def function_urls(self) -> FunctionUrls:
        """What functions answer behind URLs of their own."""
        return FunctionUrls(self.functions, self.identity, self.identity, self.settings)

    @cached_property
    def apis(self) -> Apis:
        """What answers behind API Gateway."""
        effects = EdgeEffects(REGISTRY, self.identity, self.door, self.context, self._permits, self.settings)
        return Apis(self.settings.run_dir, effects, lambda params: self.door.ask("rest-api", params))

    @cached_property
    def asynchronous(self) -> AsyncWork:
        """Requests that are answered later."""
        folder = self.settings.asynchronous_dir
        effects = AsyncEffects(REGISTRY, self.identity, self.door, self.bodies, self.context, folder)
        return AsyncWork(folder, self.router, effects)

    def _permits(self, call: Call, service: str) -> bool:
        return permits(self.functions, call, service)

    def registry(self) -> Registry:
        """What `docker push` speaks to."""
        login = Login(self.settings, self.identity)
        pushing = Pushing(self.objects, self.intake)
        return Registry(self.settings, login, self.identity, self.door, self.objects, pushing)


def environments(door: ControlDoor) -> Start:
    """How a function comes by one more execution environment: control starts it."""

    async def start(function: Function, version: Version) -> Place:
        wanted = {
            "account": function.account,
            "region": function.region,
            "name": function.name,
            "version": version.number,
        }
        return Place(**await door.ask("environment", wanted))

    return start


def serverless(settings: Settings, router: Router, door: ControlDoor) -> Serverless:
    """How requests come by replicas that are there only for them: control starts them."""
    limits = settings.limits
    return Serverless(
        router,
        lambda params: door.ask(QUESTION, params),
        idle_seconds=limits.serverless_idle_seconds,
        start_seconds=limits.serverless_start_seconds,
        answer_seconds=limits.invoke_seconds,
    )


def noting(settings: Settings) -> Note:
    """How control comes to know which of many models was not used for longest: by the age of its folder."""

    @lru_cache(maxsize=4096)
    def folder(container: str, name: str) -> str:
        return str(Bundle.of(settings, container).models / name)

    def note(container: str, name: str) -> None:
        now = time.time_ns()  # the kernel's own stamps are as coarse as its ticks: several uses would be of one age
        with suppress(OSError):  # it has just been unloaded
            os.utime(folder(container, name), ns=(now, now))

    return note


def secured(settings: Settings, names: socket.socket | None) -> Secure | None:
    """Where TLS is spoken, with the certificate of `clary images setup`; without one handshakes fail at once, and the
    rest is answered all the same."""
    if names is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.tls_dir / "certificate.pem", settings.tls_dir / "key.pem")
    except OSError:  # ssl.SSLError too
        _LOG.exception("The certificate in %s cannot be used: run `clary images setup` again.", settings.tls_dir)
    return names, context


def encrypted(settings: Settings, listening: socket.socket | None) -> Secure | None:
    """Where TLS is spoken to clients. Raises ClaryError."""
    if listening is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        place = Authority(settings.authority_dir).place()
        context.load_cert_chain(place / CERTIFICATE, place / KEY)
    except OSError as error:  # ssl.SSLError too
        what = f"The certificate in {settings.authority_dir} cannot be used: {error}."
        raise ClaryError(what, "Remove that folder: another one is made.") from error
    return listening, context


def work(start: process.Start) -> None:
    """Answer until told to stop."""
    edge = Edge.of(start.settings)
    gateway = edge.gateway()
    lanes = edge.lanes()
    concurrency = Concurrency(edge.router)
    try:
        beside = [
            *edge.beside_predictions(),
            edge.serverless.watch,
            edge.sessions.watch,
            edge.functions.watch,
            edge.events.watch,
            edge.asynchronous.watch,
            concurrency.watch,
            lambda: report(concurrency, edge.door),
            lambda: report(edge.functions.meter, edge.door),
            lambda: report(edge.apis.meter, edge.door),
            lambda: report(edge.asynchronous.meter, edge.door),
            lambda: access_logs.write(edge.apis.log, edge.door),
            lambda: usage.report(edge.apis.rest.usage, edge.door.ask),
            lanes.watch,
            start.tell,
        ]
        kinds = (secured(start.settings, start.names), encrypted(start.settings, start.secure))
        secure = [each for each in kinds if each is not None]
        serve(gateway.serve, start.sockets, start.settings.limits, start.tether.fileno(), beside, secure, lanes)
    finally:
        lanes.close()
        edge.asynchronous.close()
        edge.events.close()
        edge.functions.close()
        edge.router.close()
        edge.recorder.close()
        edge.intake.close()
        gateway.close()


if __name__ == "__main__":
    process.run("edge", work)
