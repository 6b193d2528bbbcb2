"""Models of multi-model endpoints, loaded into a container when they are asked for, and unloaded for others
(https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html).

What a container has is in its folder of models and in the container itself: nothing is kept here, and a control that
died between two steps takes them again. A model's folder is as old as its last use, which edges note.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clary.compute.base import Dial
from clary.controllers.endpoint_seen import by_container
from clary.errors import ServiceUnavailable, ValidationError
from clary.lifecycles.endpoint import KIND, Member, Variant
from clary.names import model_name
from clary.serving.client import Broken, NotSent, Pool, Request, Response
from clary.serving.many_models import TARGET_HEADER
from clary.store import Key, Store
from clary.workload.errors import FullDisk, WorkloadError
from clary.workload.hosting import HostingWorkload, keeps_models

LOADING_SECONDS = 360.0
"""A model has so long to be loaded (https://docs.aws.amazon.com/sagemaker/latest/dg/invoke-multi-model-endpoint.html)."""

_GIVING_UP_SECONDS = 10.0

_LOADS_AT_ONCE = 12
"""Of all endpoints: less than half of the calls that control carries out at once (`control/server.py`)."""

_TURN_SECONDS = 50.0
"""So long a second edge waits for a model that is being loaded already."""

_LOADED, _LOADED_ALREADY, _NO_ROOM = 200, 409, 507
_LAST_SAID = 4096


@dataclass
class _Order:
    """One model that one container is to load."""

    endpoint: Key
    variant: Variant
    member: Member
    target: str
    downloading: float = 0.0
    loading: float = 0.0
    unloading: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return model_name(self.target)

    @property
    def container(self) -> str:
        return self.member["container"]

    def turn(self, name: str) -> str:
        return f"{self.container}/{name}"


class ModelLoading:
    """Loads them. May be used from any thread."""

    def __init__(self, store: Store, workload: HostingWorkload, dial: Dial) -> None:
        self._store = store
        self._workload = workload
        self._dial = dial
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="dial-models")
        self._turns = Turns()
        self._places = threading.BoundedSemaphore(_LOADS_AT_ONCE)

    def load(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """`outcome` is *loaded*, *refused* by the container with a `status` and what it `said`, or *gone* where there
        is no such container. Raises ValidationError where there is no such model, ServiceUnavailable where too many are
        being loaded."""
        endpoint = Key(KIND, params["account"], params["region"], params["endpoint"])
        row = self._store.read.get(endpoint)
        found = by_container(row).get(params["container"]) if row else None
        if found is None:
            return {"outcome": "gone"}
        order = _Order(endpoint, *found, params["model"])
        with self._place(), self._turns.of(order.turn(order.name), _TURN_SECONDS) as mine:
            if not mine:
                raise ServiceUnavailable(f"The model {order.target} is still being loaded.")
            return self._load_or_say_why(order)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise ServiceUnavailable("Too many models are being loaded.")
        try:
            yield
        finally:
            self._places.release()

    def _load_or_say_why(self, order: _Order) -> dict[str, Any]:
        try:
            return self._load(order)
        except NotSent:
            return {"outcome": "gone"}
        except Broken as error:
            return self._refused(order, 0, f"the container closed the connection: {error}")
        except TimeoutError:
            with contextlib.suppress(NotSent, Broken, TimeoutError):
                self._ask(order, Request("DELETE", f"/models/{order.name}"), _GIVING_UP_SECONDS)
            return self._refused(order, 0, f"The model was not loaded within {LOADING_SECONDS:g} seconds.")

    def _load(self, order: _Order) -> dict[str, Any]:
        if not keeps_models(order.variant, order.member):
            while self._unload_one(order):
                continue
        with _timed(order, "downloading"):
            self._fetch(order)
        with _timed(order, "loading"):
            answer = self._ask_to_load(order)
            while answer.status == _NO_ROOM and self._unload_one(order):
                answer = self._ask_to_load(order)
        if answer.status not in (_LOADED, _LOADED_ALREADY):
            return self._refused(order, answer.status, answer.body.decode("utf-8", "replace")[:_LAST_SAID])
        return {
            "outcome": "loaded",
            "downloading": order.downloading,
            "loading": order.loading - sum(order.unloading),
            "unloading": order.unloading,
            "loaded": sum(1 for _ in self._models(order).iterdir()),
        }

    def _models(self, order: _Order) -> Path:
        return self._workload.bundle(order.member).models

    def _fetch(self, order: _Order) -> None:
        """What is loaded stays as it was loaded, whatever became of its object. Raises ValidationError."""
        while not (self._models(order) / order.name).is_dir():
            try:
                self._workload.fetch(order.endpoint, order.variant, order.member, order.target)
            except FullDisk as error:
                if not self._unload_one(order):
                    raise ValidationError(error.reason) from None
            except WorkloadError as error:
                raise ValidationError(error.reason) from None

    def _refused(self, order: _Order, status: int, said: str) -> dict[str, Any]:
        shutil.rmtree(self._models(order) / order.name, ignore_errors=True)
        return {"outcome": "refused", "status": status, "said": said}

    def _ask_to_load(self, order: _Order) -> Response:
        body = {"model_name": order.name, "url": f"/opt/ml/models/{order.name}/model"}
        headers = {"Content-Type": "application/json", "Accept": "application/json", TARGET_HEADER: order.target}
        return self._ask(order, Request("POST", "/models", headers, json.dumps(body).encode()))

    def _unload_one(self, order: _Order) -> bool:
        """Whether one has made room: the one that was not used for longest, of those that are not just being loaded."""
        for victim in oldest_first(self._models(order), order.name):
            with self._turns.of(order.turn(victim.name), 0.0) as mine:
                if mine:
                    self._unload(order, victim)
                    return True
        return False

    def _unload(self, order: _Order, victim: Path) -> None:
        began = time.perf_counter()
        self._ask(order, Request("DELETE", f"/models/{victim.name}"))
        shutil.rmtree(victim, ignore_errors=True)
        order.unloading.append(time.perf_counter() - began)

    def _ask(self, order: _Order, request: Request, seconds: float = LOADING_SECONDS) -> Response:
        """Raises NotSent, Broken, TimeoutError."""
        return asyncio.run(self._answer(order.container, request, seconds))

    async def _answer(self, container: str, request: Request, seconds: float) -> Response:
        with contextlib.closing(Pool(container, self._dial, self._threads)) as pool:
            async with asyncio.timeout(seconds):
                return await pool.ask(request)


def oldest_first(models: Path, but: str) -> list[Path]:
    """Folders of models other than `but`, beginning with the one that was not used for longest."""
    used: list[tuple[int, Path]] = []
    for folder in models.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another thread has just unloaded it
            if folder.name != but:
                used.append((folder.stat().st_mtime_ns, folder))
    return [folder for _, folder in sorted(used)]


@contextmanager
def _timed(order: _Order, part: str) -> Iterator[None]:
    began = time.perf_counter()
    try:
        yield
    finally:
        setattr(order, part, time.perf_counter() - began)


class Turns:
    """One at a time for each name. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def of(self, name: str, seconds: float) -> Iterator[bool]:
        """Whether it became one's turn within so many seconds."""
        turn = self._enter(name)
        mine = turn.acquire(timeout=seconds) if seconds else turn.acquire(blocking=False)
        try:
            yield mine
        finally:
            if mine:
                turn.release()
            self._leave(name)

    def _enter(self, name: str) -> threading.Lock:
        with self._lock:
            turn, count = self._locks.get(name, (threading.Lock(), 0))
            self._locks[name] = (turn, count + 1)
        return turn

    def _leave(self, name: str) -> None:
        with self._lock:
            turn, count = self._locks.pop(name)
            if count > 1:
                self._locks[name] = (turn, count - 1)
