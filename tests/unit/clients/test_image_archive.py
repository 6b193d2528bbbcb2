"""Archives of `docker save`, as both engines write them, on their way into a registry."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import json
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from clary.clients.image_archive import send
from clary.clients.registry import Blob
from clary.errors import ClaryError

LARGE = bytes(range(256)) * 8192


class Registry:
    """Remembers what it is sent."""

    def __init__(self, *known: bytes) -> None:
        self.known = {digest(data) for data in known}
        self.sent: list[bytes] = []

    def has(self, digest: str) -> bool:
        return digest in self.known

    def upload(self, data: Iterator[bytes], size: int) -> Blob:
        whole = b"".join(data)
        assert len(whole) == size
        self.sent.append(whole)
        return Blob(digest(whole), size)


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def pieces(members: Mapping[str, bytes | str]) -> Iterator[bytes]:
    """A tar of files, and of links (those that are str), cut at odd places."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    data = packed.getvalue()
    return itertools.chain([b""], (data[at : at + 70_001] for at in range(0, len(data), 70_001)))


def image(config: str, *layers: str) -> bytes:
    return json.dumps([{"Config": config, "RepoTags": ["x:1"], "Layers": list(layers)}]).encode()


def sent(registry: Registry, members: Mapping[str, bytes | str]) -> Any:
    return json.loads(send(pieces(members), registry, lambda *_: None))


def test_podmans_archive() -> None:
    name = f"{digest(LARGE)[7:]}.tar"
    members = {name: LARGE, "small.tar": b"small", "c.json": b"{}", "manifest.json": image("c.json", name, "small.tar")}
    registry = Registry()
    manifest = sent(registry, members)
    assert [layer["digest"] for layer in manifest["layers"]] == [digest(LARGE), digest(b"small")]
    assert manifest["config"]["digest"] == digest(b"{}")
    assert manifest["layers"][0] == {
        "mediaType": "application/vnd.oci.image.layer.v1.tar",
        "digest": digest(LARGE),
        "size": len(LARGE),
    }


def test_what_the_registry_has_is_not_sent_again() -> None:
    name = f"blobs/sha256/{digest(LARGE)[7:]}"
    registry = Registry(LARGE)
    manifest = sent(registry, {name: LARGE, "c": b"{}", "manifest.json": image("c", name)})
    assert manifest["layers"][0]["digest"] == digest(LARGE)
    assert registry.sent == [b"{}"]


def test_dockers_archive_whose_layers_are_links_of_one_another() -> None:
    members = {"a/layer.tar": LARGE, "b/layer.tar": "../a/layer.tar", "c.json": b"{}"}
    registry = Registry()
    manifest = sent(registry, {**members, "manifest.json": image("c.json", "a/layer.tar", "b/layer.tar")})
    assert [layer["digest"] for layer in manifest["layers"]] == [digest(LARGE)] * 2
    assert registry.sent == [LARGE, b"{}"]


def test_a_layer_that_is_packed_already_says_so() -> None:
    packed = gzip.compress(b"layer")
    manifest = sent(Registry(), {"l": packed, "c": b"{}", "manifest.json": image("c", "l")})
    assert manifest["layers"][0]["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"c": b"{}"},
        {"manifest.json": b"no JSON"},
        {"manifest.json": b"[]"},
        {"manifest.json": image("c", "missing"), "c": b"{}"},
        {"manifest.json": image("a"), "a": "b", "b": "a"},
    ],
    ids=["nothing", "no-manifest", "no-json", "no-image", "no-layer", "links-in-a-circle"],
)
def test_what_is_no_image_is_said(members: Mapping[str, bytes | str]) -> None:
    with pytest.raises(ClaryError, match="has given no image"):
        sent(Registry(), members)


def test_an_archive_that_breaks_off_is_no_image() -> None:
    whole = b"".join(pieces({"l": LARGE, "c": b"{}", "manifest.json": image("c", "l")}))
    with pytest.raises(ClaryError, match="has given no image"):
        send(iter([whole[: len(LARGE) // 2]]), Registry(), lambda *_: None)


def test_progress_ends_with_all_of_a_layer() -> None:
    heard: list[tuple[str, int, int]] = []
    members = {"l": LARGE, "c": b"{}", "manifest.json": image("c", "l")}
    send(pieces(members), Registry(), lambda *said: heard.append(said))
    assert heard[-1] == ("l", len(LARGE), len(LARGE))
