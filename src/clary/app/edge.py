"""`python -m clary.app.edge`: the process next to the sockets. Reads; writes nothing but bodies of objects."""

from __future__ import annotations

from dataclasses import dataclass

from clary.app.process import Start, run
from clary.calls import Call
from clary.compute.dial import SandboxDial
from clary.edge.door import ControlDoor
from clary.edge.internal import Internal
from clary.edge.reporting import report
from clary.edge.server import serve
from clary.gateway.asgi import Gateway
from clary.gateway.identity import Identity
from clary.identity.sealing import Sealer
from clary.objects.intake import Intake
from clary.objects.reader import ObjectReader
from clary.services.catalogue import REGISTRY
from clary.services.context import EdgeContext
from clary.serving.metering import Meter
from clary.serving.router import Router
from clary.settings import Settings
from clary.supervisor.tether import Tether


@dataclass(frozen=True)
class Edge:
    """What the edge holds."""

    settings: Settings
    objects: ObjectReader
    intake: Intake
    router: Router
    meter: Meter
    identity: Identity
    door: ControlDoor

    @classmethod
    def of(cls, settings: Settings) -> Edge:
        """Opens nothing that control must have made before: either may start first."""
        return cls(
            settings,
            ObjectReader(settings.objects_dir),
            Intake(settings.objects_dir),
            Router(settings.run_dir, SandboxDial(settings.containers_dir)),
            Meter(),
            Identity(settings),
            ControlDoor(settings.run_dir / "control.sock"),
        )

    def context(self, call: Call) -> EdgeContext:
        """For one operation that is carried out here."""
        return EdgeContext(
            call,
            self.settings,
            self.objects,
            self.router,
            self.meter,
            lambda access: self.identity.authorise(call, [access]),
        )

    def gateway(self) -> Gateway:
        """All of it behind HTTP."""
        internal = Internal(self.settings, self.door, Sealer.of(self.settings.data_dir))
        return Gateway(
            registry=REGISTRY,
            keyring=self.identity,
            authorizer=self.identity,
            control=self.door,
            edge_context=self.context,
            bodies=self.intake,
            settings=self.settings,
            internal=internal.handlers(),
        )


def work(start: Start) -> None:
    """Answer until told to stop."""
    edge = Edge.of(start.settings)
    gateway = edge.gateway()
    try:
        beside = [edge.router.watch, lambda: report(edge.meter, edge.door), lambda: _tell(start.tether)]
        serve(gateway, start.sockets, start.settings.limits, start.tether.fileno(), beside)
    finally:
        edge.router.close()
        edge.intake.close()
        gateway.close()


async def _tell(tether: Tether) -> None:
    tether.ready()


if __name__ == "__main__":
    run("edge", work)
