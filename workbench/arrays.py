"""Named arrays as bytes, in the safetensors format: nothing in them can run as code, and a damaged byte is noticed.

    8 bytes        n, the length of the header, little-endian
    n bytes        JSON: {"__metadata__": {text: text}, name: {"dtype", "shape", "data_offsets"}, ...}
    the rest       the arrays' bytes, C order, little-endian, back to back, without a gap

We write and read the format ourselves, and the tests hold it against the safetensors library in both directions. The
library shuffles the header's metadata from call to call, where we promise the same bytes for the same project; and it
takes an array's memory as it lies, so that a transposed view would come back with its values in another order.

The reader believes nothing, because files come from strangers. Every size is checked before it is used, offsets must
tile the data exactly, and only plain numeric types are allowed.

References
----------
safetensors, format description: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Mapping
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike

DTYPES: Mapping[str, np.dtype] = {
    "BOOL": np.dtype("?"),
    "I8": np.dtype("i1"), "I16": np.dtype("<i2"), "I32": np.dtype("<i4"), "I64": np.dtype("<i8"),
    "U8": np.dtype("u1"), "U16": np.dtype("<u2"), "U32": np.dtype("<u4"), "U64": np.dtype("<u8"),
    "F16": np.dtype("<f2"), "F32": np.dtype("<f4"), "F64": np.dtype("<f8"), "C64": np.dtype("<c8"),
}  # fmt: skip

_NAMES = {dtype: name for name, dtype in DTYPES.items()}

MAX_HEADER_BYTES = 32 * 2**20  # about 300,000 arrays; a longer header is an attack or an accident
MAX_DIMENSIONS = 16
_LENGTH = struct.Struct("<Q")


def pack(arrays: Mapping[str, ArrayLike], metadata: Mapping[str, str] | None = None) -> bytes:
    """Return named arrays, and texts about them, as the bytes of a safetensors file.

    Raises
    ------
    TypeError
        An array is not of a plain numeric type (text and objects cannot be stored; use codes and a list of labels).

    Examples
    --------
    >>> unpack(pack({"x": np.arange(6.0).reshape(2, 3).T}))[0]["x"].tolist()
    [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    """
    plain = [(name, *_plain(name, array)) for name, array in arrays.items()]
    plain.sort(key=lambda entry: (-entry[2].itemsize, entry[0]))  # wide types first: every array then lies aligned
    header: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    end = 0
    for name, dtype, values in plain:
        header[name] = {"dtype": dtype, "shape": values.shape, "data_offsets": (end, end + values.nbytes)}
        end += values.nbytes
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)  # the data begin at a multiple of 8, as the library has it
    return b"".join([_LENGTH.pack(len(text)), text, *(values.reshape(-1).view(np.uint8).data for _, _, values in plain)])


def unpack(data: bytes | memoryview) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the arrays and the metadata that `pack` wrote, or raise ValueError with the reason.

    The arrays are copies: they own their memory and may be written to.
    """
    header, body = _split(memoryview(data))
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("its metadata are not texts")
    entries = [_Entry(name, entry) for name, entry in header.items()]
    _check_tiling(entries, len(body))
    return {entry.name: entry.read(body) for entry in entries}, metadata


def _plain(name: str, array: ArrayLike) -> tuple[str, np.ndarray]:
    """Return the name of the type, and the values in C order, little-endian."""
    values = np.asarray(array, order="C")
    little_endian = values.dtype.newbyteorder("<")
    if little_endian not in _NAMES:
        allowed = ", ".join(sorted(dtype.name for dtype in _NAMES))
        raise TypeError(f"Array {name!r} has the type {values.dtype}, which cannot be stored. Allowed: {allowed}.")
    return _NAMES[little_endian], values.astype(little_endian, copy=False)


def _split(data: memoryview) -> tuple[dict[str, object], memoryview]:
    if len(data) < _LENGTH.size:
        raise ValueError(f"it has {len(data)} bytes, fewer than the {_LENGTH.size} that give the length of its header")
    (length,) = _LENGTH.unpack_from(data)
    if length > MAX_HEADER_BYTES:
        raise ValueError(f"it announces a header of {length} bytes, more than the {MAX_HEADER_BYTES} allowed")
    if length > len(data) - _LENGTH.size:
        raise ValueError(f"it announces a header of {length} bytes and ends after {len(data) - _LENGTH.size} of them")
    start = _LENGTH.size + length
    try:
        header = json.loads(bytes(data[_LENGTH.size : start]).decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise ValueError(f"its header cannot be read ({error})") from None
    if not isinstance(header, dict):
        raise ValueError("its header is not a list of named arrays")
    return header, data[start:]


def _unique(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the name {key[:40]!r} stands there twice")
        found[key] = value
    return found


class _Entry:
    """Where one array lies and what it is, checked."""

    def __init__(self, name: str, entry: object) -> None:
        self.name = name
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            self._refuse("is not described by dtype, shape and data_offsets")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(dtype, str) or dtype not in DTYPES:
            self._refuse(f"has the type {str(dtype)[:40]!r}; allowed are {', '.join(DTYPES)}")
        if not _sizes(shape) or len(shape) > MAX_DIMENSIONS or math.prod(max(n, 1) for n in shape) >= 2**60:
            self._refuse("has an impossible shape")
        if not _sizes(offsets) or len(offsets) != 2:
            self._refuse("has impossible offsets")
        self.dtype, self.shape, (self.start, self.stop) = DTYPES[dtype], tuple(shape), offsets
        if self.stop - self.start != math.prod(self.shape) * self.dtype.itemsize:
            self._refuse("has a shape that does not fit its number of bytes")

    def _refuse(self, reason: str) -> NoReturn:
        raise ValueError(f"its array {self.name[:40]!r} {reason}")

    def read(self, body: memoryview) -> np.ndarray:
        return np.frombuffer(body[self.start : self.stop], dtype=self.dtype).reshape(self.shape).copy()


def _sizes(value: object) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**60 for n in value)


def _check_tiling(entries: list[_Entry], available: int) -> None:
    """Bytes that belong to no array, or to two, would escape every check that follows: there may be none."""
    end = 0
    for entry in sorted(entries, key=lambda entry: (entry.start, entry.stop)):
        if entry.start != end:
            raise ValueError("its arrays overlap or leave gaps")
        end = entry.stop
    if end != available:
        raise ValueError(f"its arrays need {end} bytes and {available} are there")
