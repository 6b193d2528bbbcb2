"""The protocols by their names in the API models."""

from __future__ import annotations

from botocore.model import ServiceModel

from clary.wire.json_rpc import JsonRpc
from clary.wire.protocol import WireProtocol
from clary.wire.query import Query
from clary.wire.rest_json import RestJson
from clary.wire.rest_xml import RestXml

PROTOCOLS: dict[str, WireProtocol] = {
    "json": JsonRpc(),
    "query": Query(),
    "rest-json": RestJson(),
    "rest-xml": RestXml(),
}


def name_of(service: ServiceModel) -> str:
    """The protocol that Clary speaks for the service: the first that it knows of those the model lists.

    Raises KeyError where it knows none of them.
    """
    listed = [service.metadata["protocol"], *service.metadata.get("protocols", ())]
    for name in listed:
        if name in PROTOCOLS:
            return str(name)
    raise KeyError(f"{service.service_name} speaks {listed}")


def protocol_of(service: ServiceModel) -> WireProtocol:
    """Raises KeyError where no protocol of the service is known."""
    return PROTOCOLS[name_of(service)]
