"""Forms as they come from the network: in pieces of any size, whole or cut off."""

import asyncio

import pytest

from clary.wire.forms import FieldsTooLarge, MalformedForm, boundary_of, read_form

FORM = (
    b"preamble\r\n--B\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\na\r\n--C\r\n"
    b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".txt\"\r\nContent-Type: x/y\r\n\r\n"
    b"data\r\n--\r\n--A\r\n--B--\r\nepilogue"
)  # fmt: skip


def read(data, size, limit=1000):
    async def chunks():
        for start in range(0, len(data), size):
            yield data[start : start + size]

    async def all_of_it():
        form = await read_form(chunks(), b"B", limit)
        return form, b"".join([piece async for piece in form.file])

    return asyncio.run(all_of_it())


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 10_000])
def test_pieces_of_any_size(size):
    form, data = read(FORM, size)
    assert (form.fields, form.filename, data) == ({"key": "a\r\n--C"}, 'a "b".txt', b"data\r\n--\r\n--A")
    assert FORM[form.read :].startswith(b"data")


@pytest.mark.parametrize("end", [5, 12, 40, 90, 150, FORM.index(b"\r\n--B--") + 3])
def test_cut_off(end):
    with pytest.raises(MalformedForm):
        read(FORM[:end], 10)


def test_no_file():
    form, data = read(b"--B\r\nContent-Disposition: form-data; name=key\r\n\r\nv\r\n--B--\r\n", 10)
    assert (form.fields, form.has_file, data) == ({"key": "v"}, False, b"")


def test_fields_without_end():
    with pytest.raises(FieldsTooLarge):
        read(b"--B\r\nContent-Disposition: form-data; name=key\r\n\r\n" + b"v" * 10_000, 100)
    with pytest.raises(FieldsTooLarge):
        read(b"x" * 100_000, 1000)


def test_boundaries():
    assert boundary_of("multipart/form-data; boundary=abc") == b"abc"
    assert boundary_of('multipart/form-data; charset=x; Boundary="a b"') == b"a b"
    with pytest.raises(MalformedForm):
        boundary_of("multipart/form-data")
