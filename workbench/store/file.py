"""The `.kanwb` file: one document (JSON) and its arrays in one safetensors file that nobody has to trust.

    __metadata__   {"format": "kan-workbench", "version": "1", "sha256": hex}
    "document"     the JSON document, UTF-8, as an array of bytes (the header of a safetensors file may not grow large)
    "array/NAME"   the arrays

The SHA-256 covers the document and the name, type, shape and bytes of every array, so a file that was cut, edited or
hit by a disk error is refused with one sentence. It is a check against accidents, not a signature: who may write the
file may write the sum. That is why everything in it is still checked as foreign input, here and by whoever reads the
document (see `workbench.store.archive`).

Numbers in the document may be NaN or infinite, written as Python's json writes them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from workbench.arrays import pack, unpack
from workbench.exceptions import ProjectError

FORMAT = "kan-workbench"
VERSION = 1
SUFFIX = ".kanwb"
MAX_BYTES = 2 * 2**30  # what one may hold in memory without a second thought

_DOCUMENT = "document"
_ARRAY = "array/"


def write_project(path: str | os.PathLike[str], document: Mapping[str, object], arrays: Mapping[str, ArrayLike]) -> None:
    """Write a document and its arrays to one `.kanwb` file; an old file at `path` is replaced whole or not at all.

    Raises
    ------
    ProjectError
        The document is not JSON, an array is not numeric, or the file cannot be written.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "trees.kanwb"
    >>> write_project(path, {"name": "trees"}, {"girth": [8.3, 8.6]})
    >>> document, arrays = read_project(path)
    >>> document["name"], arrays["girth"].tolist()
    ('trees', [8.3, 8.6])
    """
    content = encode(document, arrays)
    target = Path(path)
    try:
        _replace(target, content)
    except OSError as error:
        raise ProjectError(
            f"The project cannot be written to {target} ({error.strerror or error}). Choose a folder that exists, may be "
            f"written to and has {len(content)} bytes free."
        ) from error


def read_project(source: str | os.PathLike[str] | bytes) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Return the document and the arrays of a `.kanwb` file, given by its path or as its bytes.

    Raises
    ------
    ProjectError
        The file cannot be read, is no project file, is cut short or damaged, or comes from a newer version.
    """
    if isinstance(source, bytes):
        return decode(source, "The project file")
    path = Path(source)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ProjectError(f"{path.name} has {size} bytes; project files of up to {MAX_BYTES} bytes can be opened.")
        content = path.read_bytes()
    except OSError as error:
        raise ProjectError(f"{path} cannot be read ({error.strerror or error}). Check its name and who may read it.") from error
    return decode(content, path.name)


def encode(document: Mapping[str, object], arrays: Mapping[str, ArrayLike]) -> bytes:
    """Return the bytes of the file that `write_project` writes."""
    try:
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        stored = {_ARRAY + name: np.asarray(array) for name, array in arrays.items()}
        stored[_DOCUMENT] = np.frombuffer(text, dtype=np.uint8)
        metadata = {"format": FORMAT, "version": str(VERSION), "sha256": _sum(stored)}
        return pack(stored, metadata)
    except (TypeError, ValueError, RecursionError) as error:
        raise ProjectError(
            f"This project cannot be written: {error} A project holds JSON (texts, numbers, lists) and numeric arrays."
        ) from error


def decode(content: bytes, name: str = "The project file") -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Return the document and the arrays that `encode` wrote; `name` is what errors call the file."""
    if len(content) > MAX_BYTES:
        raise ProjectError(f"{name} has {len(content)} bytes; project files of up to {MAX_BYTES} bytes can be opened.")
    try:
        stored, metadata = unpack(content)
        _check_format(metadata, name)
        if metadata["sha256"] != _sum(stored):
            raise ValueError("its content does not match its checksum")
        document = json.loads(stored.pop(_DOCUMENT).tobytes().decode("utf-8"))
        if not isinstance(document, dict):
            raise ValueError("its document is not a record")
        for key in stored:
            if not key.startswith(_ARRAY):
                raise ValueError(f"it holds {key[:40]!r}, which no project has")
    except (ValueError, KeyError, RecursionError) as error:
        reason = f"the entry {error} is missing" if isinstance(error, KeyError) else str(error)
        raise ProjectError(
            f"{name} is not a whole KAN Workbench project: {reason}. It may have been cut short or changed on the way; "
            f"copy or download it again, or save the project anew."
        ) from None
    return document, {key.removeprefix(_ARRAY): array for key, array in stored.items()}


def _check_format(metadata: Mapping[str, str], name: str) -> None:
    """The version is looked at before anything that a newer version might have changed."""
    if metadata.get("format") != FORMAT:
        raise ValueError(f"it does not carry the mark {FORMAT!r}")
    version = metadata.get("version", "")
    if not (version.isascii() and version.isdigit() and len(version) <= 9):
        raise ValueError("its version is not a number")
    if int(version) > VERSION:
        raise ProjectError(
            f"{name} was saved by a newer KAN Workbench (file version {int(version)}; this one reads up to {VERSION}). "
            f"Update it: pip install --upgrade kan-workbench."
        )


def _sum(stored: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(stored):
        values = np.asarray(stored[name], order="C")
        values = values.astype(values.dtype.newbyteorder("<"), copy=False)
        digest.update(json.dumps([name, values.dtype.name, values.shape]).encode("utf-8"))
        digest.update(values.reshape(-1).view(np.uint8))
    return digest.hexdigest()


def _replace(target: Path, content: bytes) -> None:
    """Write beside the target and rename: a crash half-way leaves the old file."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
