"""`python -m clary.app.control`: the only process that writes, and the one that makes what is wanted so."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

from clary.app.process import Start, run
from clary.calls import Access, Call, Principal
from clary.compute import chosen
from clary.compute.dial import SandboxDial
from clary.compute.launch import API_PORT
from clary.compute.local import LocalBackend
from clary.control.edge_work import EdgeWork
from clary.control.questions import Questions
from clary.control.server import ControlServer
from clary.control.writing import only_writer
from clary.controllers.control import Controllers
from clary.controllers.parts import Parts
from clary.gateway.call import InnerDoor
from clary.gateway.identity import Identity
from clary.gateway.service_rights import ServiceRights, acting
from clary.hooks.workload import HookWorkload
from clary.identity.issuing import role_principal
from clary.identity.sealing import LONGEST_SESSION, Sealer
from clary.images import installed
from clary.images.catalogue import Catalogue
from clary.images.engine import EngineImages
from clary.images.environments import Environments
from clary.images.own import OwnImages
from clary.jumpstart import bucket
from clary.later import later
from clary.objects.store import ObjectStore
from clary.queues.messages import MessageStore
from clary.services.apigateway.publication import publish as publish_apis
from clary.services.catalogue import REGISTRY
from clary.services.context import Context
from clary.services.ecr.archives import RegistryImages
from clary.services.ecr.keeping import Keeper
from clary.services.ecr.names import REPOSITORY
from clary.services.iam.bootstrap import ensure_defaults
from clary.services.logs.remains import remove_all
from clary.services.registry import Operation
from clary.services.s3 import public
from clary.services.s3.granting import ExistingTags, Granting
from clary.services.s3.keeping import Lifecycles
from clary.services.s3.publication import publish as publish_buckets
from clary.services.sagemaker.publication import publish as publish_endpoints
from clary.services.sns.publication import publish as publish_topics
from clary.services.sqs.names import KIND as QUEUE
from clary.services.sqs.publication import publish as publish_queues
from clary.settings import Settings
from clary.store import Key, Store
from clary.telemetry.series import SeriesStore
from clary.workload.functions.environments import FunctionWorkload
from clary.workload.runtimes import Runtimes
from clary.workload.storage import Allow, Storage

if TYPE_CHECKING:
    from clary.compute import docker
else:
    docker = later("clary.compute.docker")

NICENESS = 5
"""Predictions go first: on one core the edge keeps 85 % of its throughput while control works, against a fifth."""

JOB_SECONDS = 30 * 86_400.0
"""How long a container may fetch credentials: the longest that a training job may run (28 days), and some more."""

PROBE_SECONDS = 1.0
"""For a container to say where it listens: control looks again soon at one that says nothing."""

_SESSION = "SageMaker"
"""What the sessions are called in which SageMaker takes a role."""


class JobIdentity:
    """How AWS clients inside a container find the credentials of its role."""

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self._account = settings.account_id
        self._api = f"http://127.0.0.1:{API_PORT}"
        self._identity = identity
        self._sealer = Sealer.of(settings.data_dir)

    def __call__(self, role_arn: str, container: str) -> Mapping[str, str]:
        """The variables for one container."""
        published = self._identity.directory().identities
        principal = role_principal(published, self._account, role_arn, _SESSION)
        issued = self._sealer.issue(principal, JOB_SECONDS)
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self._api}/_clary/credentials/{issued.access_key_id}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": issued.session_token,
        }


class FunctionIdentity:
    """The keys of a function's role, as its own variables hold them."""

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self._account = settings.account_id
        self._identity = identity
        self._sealer = Sealer.of(settings.data_dir)

    def __call__(self, role_arn: str, function: str) -> Mapping[str, str]:
        """The variables for one execution environment; they sign for twelve hours."""
        published = self._identity.directory().identities
        principal = role_principal(published, self._account, role_arn, function)
        issued = self._sealer.issue(principal, LONGEST_SESSION)
        return {
            "AWS_ACCESS_KEY_ID": issued.access_key_id,
            "AWS_SECRET_ACCESS_KEY": issued.secret_access_key,
            "AWS_SESSION_TOKEN": issued.session_token,
        }


class RoleRights:
    """What an execution role may do in S3 when SageMaker reads and writes for it."""

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self._account = settings.account_id
        self._identity = identity

    def __call__(self, role_arn: str, region: str) -> Allow:
        """As its policies are now, for each right that is asked for."""

        def allow(access: Access) -> None:
            if public.is_granted(access):
                return
            published = self._identity.directory().identities
            principal = role_principal(published, self._account, role_arn, _SESSION)
            self._identity.authorise(Call(principal, "s3", access.action, {}, region), [access])

        return allow


@dataclass(frozen=True)
class Control:
    """What control holds."""

    settings: Settings
    store: Store
    objects: ObjectStore
    images: Catalogue
    series: SeriesStore
    messages: MessageStore
    backend: LocalBackend
    identity: Identity
    keeper: Keeper
    lifecycles: Lifecycles
    edge_work: EdgeWork

    @classmethod
    def of(cls, settings: Settings, backend: LocalBackend) -> Control:
        """Opens the databases; what every account needs is there afterwards."""
        store = Store(settings.database)
        ensure_defaults(store, settings)
        remove_all(store, settings.logs_dir)
        publish_apis(store.read, settings)
        objects = ObjectStore(settings.objects_dir)
        images = Catalogue(
            own=OwnImages(settings.images_dir, settings.account_id),
            installed=lambda uri: installed.find(uri, settings.account_id),
            engine=None if settings.compute == "sandbox" else _engine_images(settings, store, objects),
            only_engine=settings.compute == "docker",
        )
        series = SeriesStore(settings.series_database)
        messages = message_store(settings, store)
        work, identity = EdgeWork(settings), Identity(settings, Granting(objects), ExistingTags(objects))
        keeper, lifecycles = Keeper(store, objects), Lifecycles(objects)
        publish_buckets(objects, settings)
        publish_queues(store.read, settings)
        publish_topics(store.read, settings)
        publish_endpoints(store.read, settings)
        return cls(settings, store, objects, images, series, messages, backend, identity, keeper, lifecycles, work)

    def serve(self, start: Start, able: Future[None]) -> None:
        """Answer and reconcile until told to stop. Raises ClaryError where containers cannot be had here."""
        controllers = self._controllers()
        questions = Questions(
            self.settings, self.store, self.objects, self.series, self.messages, self.backend, controllers
        )
        server = ControlServer(lambda call: self._carry_out(controllers, call), questions.handlers())
        try:
            self.keeper.start()
            self.lifecycles.start()
            uvloop.run(_serve(server, controllers, start, [able, self._offered()]))
        finally:
            self.keeper.close()
            self.lifecycles.close()
            controllers.close()
            self.backend.close()
            self.messages.close()
            self.series.close()
            self.objects.close()
            self.store.close()

    def _offered(self) -> Future[None]:
        """JumpStart's bucket, brought up to date beside."""
        beside = ThreadPoolExecutor(1)
        offered = beside.submit(bucket.offer, self.objects, self.settings.region)
        beside.shutdown(wait=False)
        return offered

    def _controllers(self) -> Controllers:
        runtimes = Runtimes(
            self.images,
            Environments(self.settings.cache_dir),
            JobIdentity(self.settings, self.identity),
            self.settings.containers_dir,
        )
        controllers: Controllers

        def invoke(call: Call) -> dict[str, Any]:
            return self._door(controllers)(call)

        rights = RoleRights(self.settings, self.identity)
        parts = Parts(
            self.settings,
            self.store,
            Storage(self.objects, rights, lambda role: self._acting(role, _SESSION), invoke),
            runtimes,
            self.backend,
            SandboxDial(self.settings.containers_dir, PROBE_SECONDS),
            FunctionWorkload(self.settings, runtimes, FunctionIdentity(self.settings, self.identity)),
            HookWorkload(self.settings, OwnImages(self.settings.images_dir, self.settings.account_id)),
            invoke,
            self._acting,
            self.series,
        )
        controllers = Controllers(parts)
        return controllers

    def _acting(self, role_arn: str, session: str) -> Principal:
        """A session of a role's, which the user of this Clary has let it take."""
        return role_principal(self.identity.directory().identities, self.settings.account_id, role_arn, session)

    def _door(self, controllers: Controllers) -> InnerDoor:
        rights = ServiceRights(self.identity, self.edge_work.permits, everyone=self.settings.auth == "off")

        def run(operation: Operation, call: Call) -> dict[str, Any]:
            if operation.place == "edge":
                return self.edge_work.run(operation, call)
            return self._run(controllers, operation, acting(call))

        return InnerDoor(REGISTRY, rights, run)

    def _carry_out(self, controllers: Controllers, call: Call) -> dict[str, Any]:
        """A call from the edge, which has authorised and validated it."""
        operation = REGISTRY.services[call.service].operations[call.operation]
        return self._run(controllers, operation, call)

    def _wake(self, controllers: Controllers, key: Key) -> None:
        if key.kind == REPOSITORY:
            self.keeper.wake()
        else:
            controllers.wake(key)

    def _run(self, controllers: Controllers, operation: Operation, call: Call) -> dict[str, Any]:
        context = Context(
            call=call,
            settings=self.settings,
            store=self.store,
            objects=self.objects,
            images=self.images,
            series=self.series,
            wake=lambda key: self._wake(controllers, key),
            invoke=self._door(controllers),
            authorise=lambda access: self.identity.authorise(call, [access]),
            messages=self.messages,
            decide=lambda access, policy: self.identity.decide(call, access, policy),
        )
        output: dict[str, Any] | None = operation.handler(context, call.params)
        return output or {}


def message_store(settings: Settings, store: Store) -> MessageStore:
    """Messages, without those of queues that are gone."""
    messages = MessageStore(settings.messages_database)
    messages.keep_only([row.state["id"] for row in store.read.rows(QUEUE)])
    return messages


def _engine_images(settings: Settings, store: Store, objects: ObjectStore) -> EngineImages:
    images = RegistryImages(settings.account_id, store, objects)
    return EngineImages(lambda: docker.DockerPlanner(settings, os.environ).engine(), images)


async def _serve(server: ControlServer, controllers: Controllers, start: Start, needed: Sequence[Future[None]]) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    loop.add_reader(start.tether.fileno(), over.set)
    for future in needed:
        await asyncio.wrap_future(future)
    await server.start(start.sockets[0])
    controllers.start()
    start.ready()
    _step_back()
    await over.wait()
    loop.remove_reader(start.tether.fileno())
    await server.stop()


def _step_back() -> None:
    """Only now: what is started is waited for. Linux keeps a niceness for each thread; later ones take it over. Who was
    started at a greater one keeps it: only root may lower it."""
    for thread in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # it has just ended
            number = int(thread.name)
            os.setpriority(os.PRIO_PROCESS, number, max(NICENESS, os.getpriority(os.PRIO_PROCESS, number)))


def work(start: Start) -> None:
    """Wait for the right to write, then work. Whether containers can be had is found out meanwhile."""
    backend = chosen.backend(start.settings, os.environ)
    with ThreadPoolExecutor(1) as beside:
        able = beside.submit(backend.check)
        lock = only_writer(start.settings.data_dir)
        try:
            Control.of(start.settings, backend).serve(start, able)
        finally:
            os.close(lock)


if __name__ == "__main__":
    run("control", work)
