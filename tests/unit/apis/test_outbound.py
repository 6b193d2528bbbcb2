"""Where HTTP integrations may lead."""

from __future__ import annotations

import asyncio

import pytest

from clary.apis.outbound import Forbidden, Outbound, Sent, Unreachable, belongs_here


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "0.0.0.0",
        "::",
        "169.254.169.254",
        "fe80::1%eth0",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "224.0.0.1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
    ],
)
def test_this_machine_and_what_only_it_may_ask(address: str) -> None:
    assert belongs_here(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "203.0.113.7", "2606:2800:220:1::1"])
def test_other_machines(address: str) -> None:
    assert not belongs_here(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:9/",
        "http://127.1:9/",
        "http://0x7f000001:9/",
        "http://2130706433:9/",
        "http://[::ffff:7f00:1]:9/",
        "http://127.0.0.1:4599/",
        "http://user:password@127.0.0.1:9/",
    ],
)
def test_no_way_of_writing_it_leads_here(url: str) -> None:
    outbound = Outbound(["127.0.0.1:8000", "127.0.0.1:4599"], own_port=4599)
    with pytest.raises(Forbidden):
        asyncio.run(outbound.send(Sent("GET", url)))


def test_a_place_that_was_opened_is_asked() -> None:
    outbound = Outbound(["127.0.0.1:9"], own_port=4599)
    with pytest.raises(Unreachable):
        asyncio.run(outbound.send(Sent("GET", "http://127.0.0.1:9/")))


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "a\nb", "a\0b"])
def test_no_header_breaks_out_of_its_line(value: str) -> None:
    outbound = Outbound(["127.0.0.1:9"], own_port=4599)
    with pytest.raises(ValueError, match="line break"):
        asyncio.run(outbound.send(Sent("GET", "http://127.0.0.1:9/", {"X-Mine": value})))
