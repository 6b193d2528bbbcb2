"""Encrypted files: any stretch of them reads as it was, and none that was changed reads at all."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clary.objects.sealing import CHUNK, Damaged, Seal, is_marked, mark_of, unsealed

KEY, OTHER = b"k" * 32, b"o" * 32
SIZES = st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 8 * CHUNK, 9 * CHUNK + 5])


def sealed(data, *cuts):
    seal, edges = Seal(KEY), [0, *sorted(cuts), len(data)]
    pieces = [seal.update(data[start:end]) for start, end in pairwise(edges)]
    return b"".join(pieces) + seal.finish()


def body(size):
    return bytes(n * 7 % 251 for n in range(1009)) * (size // 1009 + 1) if size else b""


def _swapped(file):
    step = CHUNK + 16
    return file[:32] + file[32 + step : 32 + 2 * step] + file[32 : 32 + step] + file[32 + 2 * step :]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("sealing") / "file"


@settings(max_examples=40, deadline=None)
@given(size=SIZES, cuts=st.lists(st.floats(0, 1), max_size=3), span=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_any_stretch_however_it_was_written(path, size, cuts, span):
    data = body(size)[:size]
    path.write_bytes(sealed(data, *(int(cut * size) for cut in cuts)))
    start, end = sorted(int(edge * size) for edge in span)
    pieces = list(unsealed(path, KEY, size, start, end - start))
    assert b"".join(pieces) == data[start:end]
    assert all(pieces)


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        ("a bit", lambda file: file[:100] + bytes([file[100] ^ 1]) + file[101:]),
        ("the salt", lambda file: bytes([file[0] ^ 1]) + file[1:]),
        ("the last chunk is gone", lambda file: file[: 32 + 2 * (CHUNK + 16)]),
        ("cut off", lambda file: file[:-1]),
        ("chunks changed places", _swapped),
        ("emptied", lambda _file: b""),
    ],
)
def test_what_was_changed_is_not_read(path, fault, change):
    data = body(3 * CHUNK)[: 3 * CHUNK]
    path.write_bytes(change(sealed(data)))
    with pytest.raises(Damaged):
        list(unsealed(path, KEY, len(data), 0, len(data)))


def test_a_longer_file_cut_to_a_shorter_row_is_not_read(path):
    data = body(3 * CHUNK)[: 3 * CHUNK]
    path.write_bytes(sealed(data)[: 32 + 2 * (CHUNK + 16)])
    with pytest.raises(Damaged):
        list(unsealed(path, KEY, 2 * CHUNK, 0, 2 * CHUNK))


def test_another_key_reads_nothing(path):
    path.write_bytes(sealed(b"x"))
    with pytest.raises(Damaged):
        list(unsealed(path, OTHER, 1, 0, 1))


def test_the_same_twice_is_not_the_same_file():
    assert sealed(b"x") != sealed(b"x")


def test_a_key_is_known_by_its_mark():
    assert is_marked(mark_of(KEY), KEY)
    assert not is_marked(mark_of(KEY), OTHER)
    assert mark_of(KEY) != mark_of(KEY)
