"""The `.kanwb` file: exact round trips, and one sentence for everything that is no whole project."""

from __future__ import annotations

import hashlib
import json
import stat
import struct

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal

from workbench.arrays import DTYPES, pack, unpack
from workbench.exceptions import ProjectError
from workbench.store import read_project, write_project
from workbench.store.file import decode, encode

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ARRAYS = st.dictionaries(
    TEXT, st.sampled_from(list(DTYPES.values())).flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_side=4))), max_size=3
)
DOCUMENT = {"name": "trees", "states": [1, 2, {"label": "snap Länge → x²"}]}
VALUES = {"x": np.arange(6.0).reshape(2, 3), "mask": np.array([True, False, True])}


@given(st.dictionaries(TEXT, JSON, max_size=4), ARRAYS)
def test_what_is_written_is_read(document, arrays):
    again, values = decode(encode(document, arrays))
    assert again == document
    assert values.keys() == arrays.keys()
    for name, array in arrays.items():
        assert_array_equal(values[name], array, strict=True)


def test_the_same_project_is_the_same_bytes():
    assert encode(DOCUMENT, VALUES) == encode(json.loads(json.dumps(DOCUMENT)), {name: array.copy() for name, array in VALUES.items()})


def test_numbers_that_json_lacks_are_kept():
    document, _ = decode(encode({"r2": float("nan"), "loss": float("inf")}, {}))
    assert np.isnan(document["r2"])
    assert document["loss"] == float("inf")


def test_other_programs_can_read_the_arrays(tmp_path):
    write_project(tmp_path / "trees.kanwb", DOCUMENT, VALUES)
    loaded = safetensors.numpy.load_file(tmp_path / "trees.kanwb")
    assert_array_equal(loaded["array/x"], VALUES["x"])
    assert json.loads(loaded["document"].tobytes()) == DOCUMENT


def test_every_truncation_is_refused_and_raises_nothing_else():
    content = encode(DOCUMENT, VALUES)
    for length in range(len(content)):
        with pytest.raises(ProjectError, match="is not a whole KAN Workbench project"):
            read_project(content[:length])
    assert read_project(content)[0] == DOCUMENT


@given(st.data())
def test_a_changed_byte_is_noticed_or_changes_nothing(data):
    content = bytearray(encode(DOCUMENT, VALUES))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    try:
        document, arrays = read_project(bytes(content))
    except ProjectError:
        return
    assert document == DOCUMENT  # white space in the header is all that may differ
    assert arrays.keys() == VALUES.keys()
    for name, array in VALUES.items():
        assert_array_equal(arrays[name], array, strict=True)


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda tail: encode(DOCUMENT, VALUES) + b"\0" + tail))
def test_foreign_bytes_are_refused_and_raise_nothing_else(content):
    with pytest.raises(ProjectError):
        read_project(content)


def retouched(**metadata: str | None) -> bytes:
    """Return a project whose metadata were changed by hand."""
    arrays, notes = unpack(encode(DOCUMENT, VALUES))
    return pack(arrays, {key: value for key, value in {**notes, **metadata}.items() if value is not None})


def test_a_newer_version_is_named_and_the_update_command_given():
    with pytest.raises(ProjectError, match=r"saved by a newer KAN Workbench \(file version 7; this one reads up to 1\).*pip install --upgrade"):
        read_project(retouched(version="7", sha256="a newer version may sum up otherwise"))


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"format": "pt"}, "does not carry the mark"),
        ({"format": None}, "does not carry the mark"),
        ({"version": "one"}, "version is not a number"),
        ({"version": "²"}, "version is not a number"),
        ({"version": "9" * 5000}, "version is not a number"),
        ({"version": None}, "version is not a number"),
        ({"sha256": "0" * 64}, "does not match its checksum"),
        ({"sha256": None}, "'sha256' is missing"),
    ],
)
def test_wrong_marks_are_refused_with_the_reason(metadata, reason):
    with pytest.raises(ProjectError, match=reason):
        read_project(retouched(**metadata))


def with_stored(stored: dict[str, np.ndarray]) -> bytes:
    """Return a file with a right checksum around wrong content, as an attacker would send it."""
    digest = hashlib.sha256()
    for name in sorted(stored):
        digest.update(json.dumps([name, stored[name].dtype.name, stored[name].shape]).encode())
        digest.update(stored[name].tobytes())
    return pack(stored, {"format": "kan-workbench", "version": "1", "sha256": digest.hexdigest()})


def text(content: bytes) -> np.ndarray:
    return np.frombuffer(content, np.uint8)


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ({"array/x": np.zeros(2)}, "'document' is missing"),
        ({"document": text(b"[1, 2]")}, "its document is not a record"),
        ({"document": text(b"{")}, "is not a whole"),
        ({"document": text(b"\xff{}")}, "is not a whole"),
        ({"document": text(b'{"a": ' + b"[" * 200_000)}, "is not a whole"),
        ({"document": text(b'{"a": ' + b"9" * 5000 + b"}")}, "is not a whole"),
        ({"document": text(b"{}"), "script": np.zeros(2)}, "it holds 'script', which no project has"),
    ],
)
def test_content_is_checked_although_its_checksum_is_right(stored, reason):
    with pytest.raises(ProjectError, match=reason):
        read_project(with_stored(stored))


def test_a_file_of_another_kind_is_refused_by_its_name(tmp_path):
    picture = tmp_path / "picture.kanwb"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))
    with pytest.raises(ProjectError, match=r"^picture\.kanwb is not a whole KAN Workbench project: .*copy or download it again"):
        read_project(picture)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.kanwb"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", 2))
        file.truncate(3 * 2**30)  # sparse: takes no room
    with pytest.raises(ProjectError, match="project files of up to 2147483648 bytes"):
        read_project(path)


def test_a_missing_file_and_a_folder_are_said_to_be_unreadable(tmp_path):
    for path in (tmp_path / "nowhere.kanwb", tmp_path):
        with pytest.raises(ProjectError, match="cannot be read"):
            read_project(path)


def test_writing_into_a_folder_that_is_not_there_says_so(tmp_path):
    with pytest.raises(ProjectError, match="Choose a folder that exists"):
        write_project(tmp_path / "nowhere" / "trees.kanwb", DOCUMENT, VALUES)


@pytest.mark.parametrize(("document", "arrays"), [({"x": object()}, {}), ({}, {"names": np.array(["a"])}), ({"x": "\ud800"}, {})])
def test_what_cannot_be_stored_is_refused_and_the_old_file_stays(tmp_path, document, arrays):
    path = tmp_path / "trees.kanwb"
    write_project(path, DOCUMENT, VALUES)
    before = path.read_bytes()
    with pytest.raises(ProjectError, match="cannot be written"):
        write_project(path, document, arrays)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["trees.kanwb"]


def test_a_failed_write_leaves_the_old_file_and_no_debris(tmp_path, monkeypatch):
    path = tmp_path / "trees.kanwb"
    write_project(path, DOCUMENT, VALUES)
    before = path.read_bytes()

    def disk_full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workbench.store.file.os.fsync", disk_full)
    with pytest.raises(ProjectError, match="No space left on device"):
        write_project(path, {"name": "other"}, {})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["trees.kanwb"]


def test_a_saved_file_has_the_rights_of_any_file_one_saves(tmp_path):
    (tmp_path / "ordinary").touch()
    write_project(tmp_path / "trees.kanwb", DOCUMENT, VALUES)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1
