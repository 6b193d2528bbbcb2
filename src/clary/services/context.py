"""What an operation is given besides its parameters: who asks, and the parts of Clary that it may use.

One is made for each request: with the constructors that `dataclass` would write, which do not compile, that would take
three times as long.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from clary.calls import Access, Call, Door
from clary.errors import AccessDenied
from clary.settings import Settings
from clary.store.points import Points
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.apis.answering import Apis
    from clary.functions.events import Events
    from clary.functions.invoking import Functions
    from clary.identity.policy import Decision
    from clary.identity.resource_policy import ResourcePolicy
    from clary.images.catalogue import Catalogue
    from clary.objects import ObjectReader, ObjectStore
    from clary.queues.messages import MessageStore
    from clary.queues.waiting import Waiting
    from clary.serving.asynchronous.work import AsyncWork
    from clary.serving.many_models import Models
    from clary.serving.metering import Meter
    from clary.serving.mirror import Mirror
    from clary.serving.recorder import Recorder
    from clary.serving.router import Router
    from clary.serving.serverless import Serverless
    from clary.serving.sessions import Sessions
    from clary.store import Store
    from clary.telemetry.series import SeriesStore


class Rows(Protocol):
    """Of a store, what an operation asks that looks up single rows."""

    @property
    def read(self) -> Points:
        """As they are now."""
        ...

    def wait(self, key: Key, until: Callable[[Row | None], bool], seconds: float) -> Row | None:
        """The row as soon as `until` holds of it, or as it is after `seconds`."""
        ...


class Looking(Protocol):
    """For an operation that only looks up single rows, wherever it is carried out."""

    @property
    def call(self) -> Call:
        """What is asked, and by whom."""
        ...

    @property
    def store(self) -> Rows:
        """All rows."""
        ...

    @property
    def account(self) -> str:
        """The caller's."""
        ...

    @property
    def region(self) -> str:
        """The region that is spoken to."""
        ...


def _nobody(_access: Access, _policy: ResourcePolicy) -> Decision:
    raise AccessDenied("Nobody decides here on resources that have policies.")


class Context:
    """For operations at `control`: the only place that writes."""

    def __init__(  # noqa: PLR0913, PLR0917  each is a part of another package
        self,
        call: Call,
        settings: Settings,
        store: Store,
        objects: ObjectStore,
        images: Catalogue,
        series: SeriesStore,
        wake: Callable[[Key], None],
        invoke: Callable[[Call], dict[str, Any]],
        authorise: Callable[[Access], None],
        messages: MessageStore,
        decide: Callable[[Access, ResourcePolicy], Decision] = _nobody,
    ) -> None:
        self.call = call
        self.settings = settings
        self.store = store
        self.objects = objects
        self.images = images
        self.series = series
        self.wake = wake
        """Tell the controllers that the row has changed; after the write, never within it."""
        self.invoke = invoke
        """Carry out another operation: authorised, validated, recorded."""
        self.authorise = authorise
        """Raises AccessDenied where the caller has not this right: for one that decides on a part of what is asked."""
        self.messages = messages
        self.decide = decide
        """Whether the caller has this right on a resource that has a policy of its own."""

    @property
    def account(self) -> str:
        """The caller's account, which owns what is made."""
        return self.call.principal.account

    @property
    def region(self) -> str:
        """The region that is spoken to."""
        return self.call.region


class EdgeContext:
    """For operations at the `edge`: reads, and the path of a prediction."""

    def __init__(  # noqa: PLR0913, PLR0917  each is a part of another package
        self,
        call: Call,
        settings: Settings,
        objects: ObjectReader,
        router: Router,
        serverless: Serverless,
        meter: Meter,
        mirror: Mirror,
        models: Models,
        recorder: Recorder,
        sessions: Sessions,
        functions: Functions,
        events: Events,
        apis: Apis,
        asynchronous: AsyncWork,
        queues: Waiting,
        authorise: Callable[[Access], None],
        control: Door,
        ask: Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]],
    ) -> None:
        self.call = call
        self.settings = settings
        self.objects = objects
        self.router = router
        self.serverless = serverless
        self.meter = meter
        self.mirror = mirror
        self.models = models
        self.recorder = recorder
        self.sessions = sessions
        self.functions = functions
        self.events = events
        self.apis = apis
        self.asynchronous = asynchronous
        self.queues = queues
        self.authorise = authorise
        """Raises AccessDenied where the caller has not this right: for one that depends on what is found."""
        self.control = control
        """Carries out another operation, which looks at the caller's rights itself: KMS's."""
        self.ask = ask
        """A question to control that is no operation. Raises AWSError."""
