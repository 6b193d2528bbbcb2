"""A lane's side: a process that has no listening socket, only connections that the edge has passed on."""

from __future__ import annotations

import asyncio

from clary.edge.connection import Connection, Hall
from clary.edge.passing import Channel, Handed, Lost
from clary.edge.predictions import Predictions


class Lane:
    """What comes by the channel is answered here for as long as it asks for predictions; else it goes back."""

    def __init__(self, channel: Channel, predictions: Predictions) -> None:
        self._channel = channel
        self._predictions = predictions

    def attach(self, hall: Hall) -> None:
        """Listen, from here on."""
        self._hall = hall
        asyncio.get_running_loop().add_reader(self._channel.fileno(), self._hear)

    def passes(self, connection: Connection, data: bytes) -> bool:
        """Back to the edge, where this is for it. Where the edge does not take it the client is to come again."""
        if self._predictions.are(data):
            return False
        if connection.movable and self._channel.hand(connection.descriptor(), data):
            connection.depart()
            return True
        connection.send_away()
        return False

    def left(self, connection: Connection) -> None:
        """The edge counts them."""
        if not connection.departed:
            self._channel.left()

    def leave(self) -> None:
        """The edge is not listened to any more; who is on the way is still answered."""
        self._hear()
        asyncio.get_running_loop().remove_reader(self._channel.fileno())
        self._channel.close()

    def _hear(self) -> None:
        for each in self._channel.take():
            if isinstance(each, Handed):
                self._hall.welcome(each.connection, each.data)
            elif isinstance(each, Lost):
                self._channel.left()
        if not self._channel.open:
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
