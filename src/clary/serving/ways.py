"""Ways to a replica beside those of the router itself: the one that has a session, and one whose answer is a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from clary.serving.chain import Walk
from clary.serving.client import Request, Response
from clary.serving.router import Replica, Router, Way
from clary.serving.streaming import Stream


class InSession:
    """To the replica of a session, whoever else has less to do; to any for one that is new. `replica` is who was
    asked."""

    def __init__(self, way: Way[Response], container: str, session: str) -> None:
        """`container` is the first one of the replica that has the session; empty where a new one is asked for."""
        self._way = way
        self.container = container
        self.session = session
        self.replica: Replica | None = None

    def choose(self, replicas: Iterable[Replica]) -> Replica | None:
        """None where the session's replica is gone."""
        if self.container:
            replicas = [replica for replica in replicas if replica.target.containers[0] == self.container]
        return self._way.choose(replicas)

    async def ask(self, replica: Replica, request: Request, walk: Walk) -> Response:
        """Its answer. Raises NotSent, Broken."""
        self.replica = replica
        return await self._way.ask(replica, request, walk)


class Held:
    """An answer that is still coming, and the replica that is kept for it: until `close`, or until nobody has it any
    more, as where a client has gone before its answer began."""

    def __init__(self, stream: Stream, release: Callable[[], None]) -> None:
        self.stream = stream
        self._release: Callable[[], None] | None = release

    def close(self) -> None:
        """Nobody reads on, or there is nothing more."""
        release, self._release = self._release, None
        if release is not None:
            self.stream.close()
            release()

    def __del__(self) -> None:
        self.close()


class Streaming:
    """To the replica that another way chooses, which answers part by part."""

    def __init__(self, way: Way[Response], router: Router) -> None:
        self._way = way
        self._router = router

    def choose(self, replicas: Iterable[Replica]) -> Replica | None:
        """As the other way does."""
        return self._way.choose(replicas)

    async def ask(self, replica: Replica, request: Request, walk: Walk) -> Held | Response:
        """The beginning of its answer; a whole one where a container before the last refused. Raises NotSent,
        Broken."""
        answer = await replica.chain.stream(request, walk)
        return answer if isinstance(answer, Response) else Held(answer, self._router.hold(replica))
