"""Messages between a container's first process and whoever stands beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clary.launcher import messages


def test_what_was_said_last_is_heard_though_its_end_has_closed_with_messages_unread() -> None:
    """A program's exit code, while a signal for it was on its way; why a container cannot begin."""
    ours, theirs = messages.pair()
    with ours, Path(os.devnull).open() as file:
        messages.send(theirs, {"ready": True}, [file.fileno()])
        messages.send(theirs, {"exit": 768})
        messages.send(ours, {"signal": 15})
        theirs.close()
        ready, descriptors = messages.receive(ours)
        assert (ready, len(descriptors)) == ({"ready": True}, 1)
        messages.close_all(descriptors)
        assert messages.receive(ours) == ({"exit": 768}, [])
        with pytest.raises(EOFError):
            messages.receive(ours)


def test_an_end_that_has_said_nothing_and_closed_with_messages_unread_is_gone() -> None:
    ours, theirs = messages.pair()
    with ours:
        messages.send(ours, {"signal": 15})
        theirs.close()
        with pytest.raises(EOFError):
            messages.receive(ours)
