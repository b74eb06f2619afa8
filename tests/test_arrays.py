"""Arrays as bytes: what we write the safetensors library reads, and what we accept it accepts."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal

from workbench.arrays import DTYPES, pack, unpack

ARRAYS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(lambda name: name != "__metadata__"),
    st.sampled_from(list(DTYPES.values())).flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_side=5))),
    max_size=4,
)


@given(ARRAYS, st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])), max_size=3))
def test_pack_and_unpack_are_inverse_and_the_library_agrees(arrays, metadata):
    content = pack(arrays, metadata)
    ours, notes = unpack(content)
    theirs = safetensors.numpy.load(content)
    assert notes == metadata
    assert ours.keys() == theirs.keys() == arrays.keys()
    for name, array in arrays.items():
        assert_array_equal(ours[name], array, strict=True)
        assert_array_equal(theirs[name], array, strict=True)


@pytest.mark.parametrize(
    "view",
    [
        np.arange(35.0).reshape(5, 7).T,
        np.arange(35.0)[::3],
        np.asfortranarray(np.arange(35.0).reshape(5, 7)),
        np.broadcast_to(np.float64(2.5), (3, 5)),
        np.arange(7, dtype=">i4"),
        np.float64(2.5),
    ],
)
def test_values_do_not_depend_on_how_an_array_lies_in_memory(view):
    assert_array_equal(unpack(pack({"x": view}))[0]["x"], view)


@given(ARRAYS, st.randoms())
def test_the_same_arrays_are_the_same_bytes_in_whatever_order_they_come(arrays, random):
    names = list(arrays)
    random.shuffle(names)
    notes = {"format": "x", "version": "1", "sha256": "y"}
    assert pack(arrays, notes) == pack({name: arrays[name] for name in names}, dict(reversed(notes.items())))


def test_what_the_library_writes_is_read():
    arrays = {"x": np.arange(35.0).reshape(5, 7), "mask": np.array([True, False]), "none": np.zeros((0, 3), np.float32)}
    ours, notes = unpack(safetensors.numpy.save(arrays, {"by": "the library"}))
    assert notes == {"by": "the library"}
    for name, array in arrays.items():
        assert_array_equal(ours[name], array, strict=True)


def test_unpacked_arrays_may_be_written_to():
    x = unpack(pack({"x": np.zeros(3)}))[0]["x"]
    x += 1
    assert_array_equal(x, [1, 1, 1])


@pytest.mark.parametrize("values", [np.array(["a"]), np.array([1j]), np.array([None]), np.array(["2026-11-22"], dtype="datetime64[D]")])
def test_an_array_that_is_not_plain_numbers_is_refused_by_name(values):
    with pytest.raises(TypeError, match=r"Array 'x' has the type .* Allowed: .*float64"):
        pack({"x": values})


def raw(header: object, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def entry(dtype="F64", shape=(1,), offsets=(0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


HOSTILE = {
    "nothing": (b"", "fewer than the 8"),
    "seven bytes": (b"\0" * 7, "fewer than the 8"),
    "an absurd header": (struct.pack("<Q", 2**63) + b"{}", "more than the 33554432 allowed"),
    "a header beyond the end": (struct.pack("<Q", 100) + b"{}", "ends after 2 of them"),
    "no JSON": (raw(b"{nonsense"), "header cannot be read"),
    "not UTF-8": (raw(b'{"\xff": 1}'), "header cannot be read"),
    "endless nesting": (raw(b"[" * 200_000), "header cannot be read"),
    "a list": (raw([]), "not a list of named arrays"),
    "one name twice": (raw(b'{"x": 1, "x": 2}'), "twice"),
    "metadata that are not texts": (raw({"__metadata__": {"version": 1}}), "metadata are not texts"),
    "metadata that are a list": (raw({"__metadata__": []}), "metadata are not texts"),
    "an entry without shape": (raw({"x": {"dtype": "F64"}}), "not described"),
    "an entry with more": (raw({"x": entry() | {"more": 1}}, b"\0" * 8), "not described"),
    "an entry that is a number": (raw({"x": 5}), "not described"),
    "an object array": (raw({"x": entry("O")}, b"\0" * 8), "has the type 'O'"),
    "a type that is a list": (raw({"x": entry(["F64"])}, b"\0" * 8), "has the type"),
    "a half-sized type": (raw({"x": entry("BF16", (4,))}, b"\0" * 8), "has the type 'BF16'"),
    "a negative side": (raw({"x": entry(shape=(-1,))}, b"\0" * 8), "impossible shape"),
    "a side that is true": (raw({"x": entry(shape=(True,))}, b"\0" * 8), "impossible shape"),
    "a side that is a fraction": (raw({"x": entry(shape=(1.0,))}, b"\0" * 8), "impossible shape"),
    "a side beyond all memory": (raw({"x": entry(shape=(2**61, 0), offsets=(0, 0))}), "impossible shape"),
    "sides beyond all memory": (raw({"x": entry(shape=(2**40, 2**40, 0), offsets=(0, 0))}), "impossible shape"),
    "too many sides": (raw({"x": entry(shape=(1,) * 17)}, b"\0" * 8), "impossible shape"),
    "three offsets": (raw({"x": entry(offsets=(0, 8, 8))}, b"\0" * 8), "impossible offsets"),
    "offsets backwards": (raw({"x": entry(offsets=(8, 0))}, b"\0" * 8), "does not fit"),
    "a shape that needs more": (raw({"x": entry(shape=(2,))}, b"\0" * 8), "does not fit"),
    "a gap": (raw({"x": entry(offsets=(8, 16))}, b"\0" * 16), "overlap or leave gaps"),
    "an overlap": (raw({"x": entry(), "y": entry()}, b"\0" * 8), "overlap or leave gaps"),
    "too little data": (raw({"x": entry()}, b"\0" * 7), "need 8 bytes and 7 are there"),
    "too much data": (raw({"x": entry()}, b"\0" * 9), "need 8 bytes and 9 are there"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_with_the_reason(what):
    content, reason = HOSTILE[what]
    with pytest.raises(ValueError, match=reason):
        unpack(content)


@given(st.binary(max_size=200))
def test_any_bytes_are_either_a_file_that_the_library_reads_too_or_refused(content):
    try:
        unpack(content)
    except ValueError:
        return
    safetensors.deserialize(content)
