"""The protocols by their names in the API models."""

from __future__ import annotations

from botocore.model import ServiceModel

from clary.wire import ec2, rpc_cbor
from clary.wire.ec2 import Ec2
from clary.wire.json_rpc import JsonRpc
from clary.wire.protocol import WireProtocol
from clary.wire.query import Query
from clary.wire.rest_json import RestJson
from clary.wire.rest_xml import RestXml
from clary.wire.rpc_cbor import RpcCbor

PROTOCOLS: dict[str, WireProtocol] = {
    "json": JsonRpc(),
    "query": Query(),
    ec2.NAME: Ec2(),
    "rest-json": RestJson(),
    "rest-xml": RestXml(),
    rpc_cbor.NAME: RpcCbor(),
}


FORMS = frozenset({"query", ec2.NAME})
"""Those whose requests are forms that name their operation as `Action`."""


def names_of(service: ServiceModel) -> tuple[str, ...]:
    """The protocols that clients may speak to the service: those the model lists, its own first, as far as Clary knows
    them."""
    listed = dict.fromkeys([service.metadata["protocol"], *service.metadata.get("protocols", ())])
    return tuple(name for name in listed if name in PROTOCOLS)


def name_of(service: ServiceModel) -> str:
    """The first of `names_of`. Raises KeyError where there is none."""
    names = names_of(service)
    if not names:
        raise KeyError(f"{service.service_name} speaks {service.metadata['protocol']}")
    return names[0]
