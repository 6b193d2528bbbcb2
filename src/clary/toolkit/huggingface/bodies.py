"""Requests and answers as Hugging Face's inference toolkit decodes and encodes them: JSON, CSV, NPY, images, sound."""

from __future__ import annotations

import base64
import csv
import io
import json
from typing import Any, Callable, Dict, List, Union

import numpy as np
from PIL import Image  # type: ignore[import-not-found,unused-ignore]

from clary.formats import content_types

Data = Any
"""What a pipeline takes or gives."""

_IMAGES = ("image/jpeg", "image/png", "image/tiff", "image/bmp", "image/gif", "image/webp", "image/x-image")
_SOUNDS = ("audio/x-flac", "audio/mpeg", "audio/wave", "audio/ogg", "audio/x-audio")
_HEADERS = ("question", "context", "inputs")
_NO_HEADER = (
    "You need to provide the correct CSV with Header columns to use it with the inference toolkit default handler."
)
_UNSUPPORTED = "Content type {} is not supported by this framework."


def decode(body: Union[str, bytes], content_type: str) -> Data:
    """A request as a pipeline takes it. Raises ValueError."""
    kind = content_types.kind_of(content_type)
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise ValueError(_UNSUPPORTED.format(content_type))
    return decoder(body)


def encode(prediction: Data, accept: str) -> Union[str, bytes]:
    """A pipeline's answer as it was asked for. Raises ValueError."""
    for wanted in content_types.accepted(accept):
        if wanted in _IMAGES:
            return _to_image(prediction, wanted)
        encoder = _ENCODERS.get(wanted)
        if encoder is not None:
            return encoder(prediction)
    raise ValueError(_UNSUPPORTED.format(accept))


def _from_csv(body: Union[str, bytes]) -> Data:
    """A column `inputs`, or columns such as `question,context`."""
    text = body if isinstance(body, str) else body.decode("utf-8")
    head = next(iter(text.splitlines()), "").lower()
    if not any(name in head for name in _HEADERS):
        raise ValueError(_NO_HEADER)
    rows: List[Dict[str, str]] = list(csv.DictReader(io.StringIO(text)))
    if rows and "inputs" in rows[0]:
        return {"inputs": [row["inputs"] for row in rows]}
    return {"inputs": rows}


def _from_npy(body: Union[str, bytes]) -> Data:
    """Never with pickle: it would run what the request says."""
    return np.load(io.BytesIO(_bytes(body)), allow_pickle=False)


def _from_image(body: Union[str, bytes]) -> Data:
    return {"inputs": Image.open(io.BytesIO(_bytes(body))).convert("RGB")}


def _from_sound(body: Union[str, bytes]) -> Data:
    return {"inputs": _bytes(body)}


def _bytes(body: Union[str, bytes]) -> bytes:
    return body.encode("utf-8") if isinstance(body, str) else body


def _to_json(prediction: Data) -> str:
    return json.dumps(prediction, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)


def _plain(value: Data) -> Data:
    """What JSON does not know but numpy, torch and PIL do."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Image.Image):
        return base64.b64encode(_to_image(value, "image/png")).decode()
    return str(value)


def _to_csv(prediction: Data) -> str:
    rows = prediction if isinstance(prediction, list) else [prediction]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _to_npy(prediction: Data) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(prediction), allow_pickle=False)
    return stream.getvalue()


def _to_image(image: Data, content_type: str) -> bytes:
    name = "PNG" if content_type == "image/x-image" else content_type.rpartition("/")[2].upper()
    stream = io.BytesIO()
    image.save(stream, format=name)
    return stream.getvalue()


_DECODERS: Dict[str, Callable[[Union[str, bytes]], Data]] = {
    content_types.JSON: json.loads,
    content_types.CSV: _from_csv,
    content_types.NPY: _from_npy,
    **dict.fromkeys(_IMAGES, _from_image),
    **dict.fromkeys(_SOUNDS, _from_sound),
}
_ENCODERS: Dict[str, Callable[[Data], Union[str, bytes]]] = {
    content_types.JSON: _to_json,
    content_types.CSV: _to_csv,
    content_types.NPY: _to_npy,
}
