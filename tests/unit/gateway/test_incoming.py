"""Bodies as clients send them: at once, slowly, or hardly at all."""

from __future__ import annotations

import asyncio

import pytest

from clary.errors import AWSError
from clary.gateway.incoming import Incoming
from clary.gateway.line import AsgiLine


def sent(pieces, pause, allowed):
    """A body that a client sends in pieces, so many seconds apart; it may be silent for `allowed` seconds."""
    coming = iter(pieces)

    async def receive():
        await asyncio.sleep(pause)
        piece = next(coming, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    return Incoming(AsgiLine(receive, None), allowed)


async def test_pieces_are_joined():
    assert await sent([b"a", b"b", b"c"], 0, 60).read(3) == b"abc"


async def test_who_sends_a_byte_now_and_then_is_cut_off():
    with pytest.raises(AWSError) as raised:
        await sent([b"x"] * 1000, 0.005, 0.2).read(2**20)
    assert raised.value.code == "RequestTimeout"
