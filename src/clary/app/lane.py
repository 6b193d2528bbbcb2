"""`python -m clary.app.lane`: a process beside the edge that answers predictions and nothing else
(docs/decisions/0068)."""

from __future__ import annotations

from clary.app import process
from clary.app.edge import Edge
from clary.edge.lane import Lane
from clary.edge.passing import Channel
from clary.edge.predictions import Predictions
from clary.edge.server import serve


def work(start: process.Start) -> None:
    """Answer those whom the edge passes on, until it ends or says so."""
    edge = Edge.of(start.settings)
    gateway = edge.gateway()
    lane = Lane(Channel(start.sockets[0]), Predictions(edge.router, start.settings.host))
    try:
        beside = [*edge.beside_predictions(), start.tell]
        serve(gateway.serve, [], start.settings.limits, start.tether.fileno(), beside, passage=lane)
    finally:
        edge.router.close()
        edge.recorder.close()
        edge.intake.close()
        gateway.close()


if __name__ == "__main__":
    process.run("lane", work)
