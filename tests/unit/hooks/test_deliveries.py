"""What git forges deliver: GitHub's own example of a signature, and each forge's headers."""

import json
from urllib.parse import urlencode

import pytest

from clary.hooks.deliveries import Refused, read, sign

SECRET = "s3cret"
COMMIT = "7638417db6d59f3c431d3e1f261cc637155684cd"
PUSH = {"ref": "refs/heads/main", "after": COMMIT}


def delivered(said, secret=SECRET, **headers):
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    signed = {"x-github-event": "push", "x-hub-signature-256": f"sha256={sign(body, SECRET)}"}
    return read(headers or signed, body, secret)


def test_the_signature_is_that_of_githubs_documentation():
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, "Testing the validation"."""
    signature = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert sign(b"Hello, World!", "It's a Secret to Everybody") == signature


def test_a_push_of_githubs():
    body = json.dumps({**PUSH, "pusher": {"name": "ada"}}).encode()
    headers = {
        "x-github-event": "push",
        "x-github-delivery": "72d3162e",
        "x-hub-signature-256": f"sha256={sign(body, SECRET)}",
    }
    said = read(headers, body, SECRET)
    assert (said.event, said.branch, said.commit, said.by, said.id) == ("push", "main", COMMIT, "ada", "72d3162e")


def test_a_push_of_giteas_which_signs_twice():
    body = json.dumps({**PUSH, "pusher": {"login": "ada", "full_name": "Ada L."}}).encode()
    headers = {
        "x-gitea-event": "push",
        "x-gitea-delivery": "f6266f16",
        "x-gitea-signature": sign(body, SECRET),
        "x-github-event": "push",
        "x-hub-signature-256": f"sha256={sign(body, SECRET)}",
    }
    said = read(headers, body, SECRET)
    assert (said.event, said.branch, said.by, said.id) == ("push", "main", "ada", "f6266f16")
    with pytest.raises(Refused, match="not that of this hook"):
        read({**headers, "x-gitea-signature": "0" * 64}, body, SECRET)


def test_a_push_of_gitlabs_which_sends_the_secret():
    headers = {"x-gitlab-event": "Push Hook", "x-gitlab-token": SECRET, "x-gitlab-event-uuid": "13792a34"}
    said = read(headers, json.dumps({**PUSH, "user_username": "ada"}).encode(), SECRET)
    assert (said.event, said.branch, said.by, said.id) == ("push", "main", "ada", "13792a34")
    with pytest.raises(Refused, match="not that of this hook"):
        read({**headers, "x-gitlab-token": "guessed"}, b"{}", SECRET)


def test_a_form_is_signed_as_it_was_sent():
    body = urlencode({"payload": json.dumps(PUSH)}).encode()
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-github-event": "push",
        "x-hub-signature-256": f"sha256={sign(body, SECRET)}",
    }
    assert read(headers, body, SECRET).branch == "main"


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-github-event": "push"}, {"authorization": "Bearer s3cret"}, {"x-hub-signature": "sha1=0"}],
    ids=["nothing", "event-only", "bearer", "sha1"],
)
def test_what_is_not_signed_is_refused(headers):
    with pytest.raises(Refused) as refused:
        read(headers, b"{}", SECRET)
    assert refused.value.status == 401


@pytest.mark.parametrize(
    "signature", ["", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "sha256=é"], ids=range(5)
)
def test_what_is_signed_otherwise_is_refused_before_it_is_read(signature):
    with pytest.raises(Refused) as refused:
        read({"x-hub-signature-256": signature}, b"no json", SECRET)
    assert refused.value.status == 403


def test_a_signature_with_another_secret_is_refused():
    with pytest.raises(Refused, match="not that of this hook"):
        delivered(PUSH, secret="another")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000], ids=["empty", "cut", "list", "bytes", "deep"]
)
def test_a_signed_body_that_is_no_object_is_refused(body):
    with pytest.raises(Refused) as refused:
        delivered(body)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("said", "branch", "commit"),
    [
        ({"ref": "refs/heads/team/main", "after": COMMIT}, "team/main", COMMIT),
        ({"ref": "refs/tags/main", "after": COMMIT}, "", COMMIT),
        ({"ref": "refs/heads/main", "after": "0" * 40}, "main", ""),
        ({"ref": "refs/heads/main", "after": "$(id)"}, "main", ""),
        ({"ref": ["refs/heads/main"], "after": 7}, "", ""),
        ({}, "", ""),
    ],
    ids=["folder", "tag", "deleted", "no-commit", "no-text", "nothing"],
)
def test_which_branch_was_pushed(said, branch, commit):
    found = delivered(said)
    assert (found.branch, found.commit) == (branch, commit)


def test_names_cannot_move_a_terminals_cursor():
    assert delivered({**PUSH, "pusher": {"name": "a\x1b[2Jb\n" + "c" * 200}}).by == ("a?[2Jb?" + "c" * 200)[:100]


def test_bodies_that_differ_have_other_digests():
    assert delivered(PUSH).digest == delivered(PUSH).digest != delivered({**PUSH, "after": "1" * 40}).digest
