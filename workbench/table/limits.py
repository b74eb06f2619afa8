"""How large a table may be, and what a file really is, whatever its name says.

A file comes from anywhere. Before anything is unpacked its size, its first bytes and the sizes that a zip archive announces are checked.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass

from workbench.exceptions import TableError

MB = 2**20

# What Python's zipfile raises for archives that are cut off, scrambled or encrypted.
DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, RuntimeError, OSError, EOFError, IndexError)


@dataclass(frozen=True)
class Limits:
    """What is read at most.

    file_bytes : size of the file
    expanded_bytes : size of what a compressed file (.xlsx, .npz, .parquet) unpacks to
    rows, columns : of the table
    """

    file_bytes: int = 256 * MB
    expanded_bytes: int = 1024 * MB
    rows: int = 20_000_000
    columns: int = 20_000


_READABLE = "CSV, TSV, Excel (.xlsx), Parquet, JSON, .npy and .npz"

# What other files begin with, and what to say of them.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive: unpack it first"),
    (b"BZh", "a bzip2 archive: unpack it first"),
    (b"\xfd7zXZ", "an xz archive: unpack it first"),
    (b"(\xb5/\xfd", "a Zstandard archive: unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls), or one with a password: save it as .xlsx without a password"),
    (b"\x89HDF", "an HDF5 file: save the table as CSV or Parquet"),
    (b"SQLite format 3", "an SQLite database: save the table as CSV"),
    (b"ARROW1", "an Arrow file: save the table as Parquet"),
    (b"\x80\x04\x95", "a Python pickle, which can run code: save the table as CSV or .npz"),
    (b"\x80\x05\x95", "a Python pickle, which can run code: save the table as CSV or .npz"),
    (b"\x7fELF", "a program"),
    (b"OggS", "a sound file"),
    (b"RIFF", "a sound, film or picture"),
)
_WEB_PAGE = (b"<!doctype html", b"<html", b"<?xml")


def format_of(data: bytes, name: str) -> str:
    """Return "xlsx", "parquet", "npy", "npz", "json" or "delimited" for a file by its first bytes, or raise TableError.

    Parameters
    ----------
    data : the whole file
    name : what the file is called, for the message, and to tell JSON from CSV where both are possible
    """
    if not data.strip():
        raise TableError(f"{name!r} is empty. Give a file with a row of names and rows of values.")
    for start, description in _FOREIGN:
        if data.startswith(start):
            raise TableError(f"{name!r} is {description}. Readable are {_READABLE}.")
    if data.startswith(b"PAR1"):
        return "parquet"
    if data.startswith(b"\x93NUMPY"):
        return "npy"
    if data.startswith(b"PK\x03\x04"):
        return _kind_of_zip(data, name)
    beginning = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if beginning.lower().startswith(_WEB_PAGE):
        raise TableError(f"{name!r} is a web page or XML, not a table. Download the data file itself. Readable are {_READABLE}.")
    is_json = name.lower().endswith((".json", ".jsonl", ".ndjson")) or beginning.startswith((b'[{"', b'{"', b"[{", b"[["))
    return "json" if is_json and beginning[:1] in (b"{", b"[") else "delimited"


def check_file_size(n_bytes: int, name: str, limits: Limits) -> None:
    """Raise TableError when a file is larger than the limit."""
    if n_bytes > limits.file_bytes:
        raise TableError(
            f"{name!r} has {n_bytes / MB:.0f} MB; the limit is {limits.file_bytes / MB:.0f} MB. "
            "Keep fewer rows or columns, or in Python pass read_table(..., limits=Limits(file_bytes=...))."
        )


def check_shape(n_rows: int, n_columns: int, name: str, limits: Limits) -> None:
    """Raise TableError when a table has more rows or columns than the limit."""
    if n_rows > limits.rows or n_columns > limits.columns:
        raise TableError(
            f"{name!r} has {n_rows:,} rows and {n_columns:,} columns; the limits are {limits.rows:,} rows and {limits.columns:,} columns. "
            "Keep those you need."
        )


def check_archive(data: bytes, name: str, limits: Limits) -> zipfile.ZipFile:
    """Open a zip archive when what it announces to unpack to is within the limit (Python's reader never unpacks more than announced)."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except DAMAGED_ZIP as error:
        raise TableError(f"{name!r} is damaged and cannot be unpacked ({error}). Save or download it again.") from None
    expanded = sum(entry.file_size for entry in archive.infolist())
    if expanded > limits.expanded_bytes:
        raise TableError(
            f"{name!r} has {len(data) / MB:.1f} MB but unpacks to {expanded / MB:,.0f} MB; the limit is {limits.expanded_bytes / MB:,.0f} MB. "
            "Save the sheet as CSV, or keep fewer rows and columns."
        )
    return archive


def _kind_of_zip(data: bytes, name: str) -> str:
    try:
        entries = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except DAMAGED_ZIP as error:
        raise TableError(f"{name!r} is damaged and cannot be unpacked ({error}). Save or download it again.") from None
    if any(entry.startswith("xl/") and not entry.endswith(".bin") for entry in entries) and "xl/workbook.bin" not in entries:
        return "xlsx"
    if entries and all(entry.endswith(".npy") for entry in entries):
        return "npz"
    if "content.xml" in entries or "xl/workbook.bin" in entries:
        raise TableError(f"{name!r} is a spreadsheet that we cannot read. Save it as .xlsx or CSV.")
    raise TableError(f"{name!r} is a zip archive. Unpack it and give the table inside. Readable are {_READABLE}.")
