"""Session tokens: what they carry, and that nobody else can make one."""

from __future__ import annotations

import base64
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.calls import Principal
from clary.errors import AWSError
from clary.gateway.identity import Identity
from clary.identity.sealing import LONGEST_SESSION, BadToken, Sealer, load_key
from clary.settings import Settings

ANN = Principal("user", "1", "arn:aws:iam::1:user/ann", "arn:aws:iam::1:user/ann", "AIDAX")
SEALER = Sealer(b"k" * 32)


def test_a_token_brings_back_who_it_was_made_for() -> None:
    made = SEALER.issue(ANN, 900, policies=("{}",), tags={"a": "1"}, source_identity="me")
    session = SEALER.open_session(made.session_token, made.access_key_id)
    principal = session.principal()
    assert replace(principal, access_key_id="", session_policies=(), session_context={}) == ANN
    assert principal.session_policies == ("{}",)
    assert principal.session_context["aws:PrincipalTag/a"] == "1"
    assert principal.session_context["aws:SourceIdentity"] == "me"
    assert SEALER.secret(made.access_key_id) == made.secret_access_key
    assert made.access_key_id.startswith("ASIA")
    assert (len(made.access_key_id), len(made.secret_access_key)) == (20, 40)


def test_a_token_of_another_clary_or_another_key_is_none() -> None:
    made = SEALER.issue(ANN, 900)
    with pytest.raises(BadToken):
        Sealer(b"x" * 32).open_session(made.session_token, made.access_key_id)
    with pytest.raises(BadToken):
        SEALER.open_session(made.session_token, SEALER.issue(ANN, 900).access_key_id)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_token_with_any_bit_changed_is_none(place: int, change: int) -> None:
    made = SEALER.issue(ANN, 900)
    raw = bytearray(base64.b64decode(made.session_token))
    raw[place % len(raw)] ^= change
    with pytest.raises(BadToken):
        SEALER.open_session(base64.b64encode(raw).decode(), made.access_key_id)


@given(st.text(max_size=60))
def test_any_text_is_no_token(text: str) -> None:
    with pytest.raises(BadToken):
        SEALER.open_session(text, "ASIA")


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    path, found = tmp_path / "secret.key", []
    ready = threading.Barrier(8)

    def load() -> None:
        ready.wait(60)
        found.append(load_key(path))

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["secret.key"]


def test_an_expired_token_says_so(tmp_path: Path) -> None:
    identity, sealer = Identity(Settings(data_dir=tmp_path)), Sealer.of(tmp_path)
    made = sealer.issue(ANN, -1)
    for _ in range(2):
        with pytest.raises(AWSError) as error:
            identity.find(made.access_key_id, made.session_token)
        assert error.value.code == "ExpiredToken"
    assert sealer.open_session(made.session_token, made.access_key_id).expires <= time.time()


def test_a_known_token_under_another_key_is_refused(tmp_path: Path) -> None:
    identity, sealer = Identity(Settings(data_dir=tmp_path)), Sealer.of(tmp_path)
    first, second = sealer.issue(ANN, 900), sealer.issue(ANN, 900)
    assert identity.find(first.access_key_id, first.session_token)
    for key, token in ((second.access_key_id, first.session_token), (first.access_key_id, None), ("AKIA", "x")):
        with pytest.raises(AWSError) as error:
            identity.find(key, token)
        assert error.value.code == "InvalidClientTokenId"


def test_what_signs_fetches_nothing_and_what_fetches_signs_nothing(tmp_path: Path) -> None:
    """A presigned URL shows its session token to whoever is given it."""
    identity, sealer = Identity(Settings(data_dir=tmp_path)), Sealer.of(tmp_path)
    signing, fetching = sealer.issue(ANN, LONGEST_SESSION), sealer.issue(ANN, LONGEST_SESSION + 1)
    with pytest.raises(BadToken):
        sealer.open(signing.session_token, signing.access_key_id)
    assert sealer.open(fetching.session_token, fetching.access_key_id).arn == ANN.arn
    with pytest.raises(AWSError):
        identity.find(fetching.access_key_id, fetching.session_token)
    forged = base64.b64encode(b"\x02" + base64.b64decode(signing.session_token)[1:]).decode()
    with pytest.raises(BadToken):
        sealer.open(forged, signing.access_key_id)
