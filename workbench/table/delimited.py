"""Text tables: CSV, TSV and their relatives, in any encoding, with any delimiter and either decimal sign.

Reading takes three steps.

1. Decode. A byte-order mark decides; without one, UTF-8 where the bytes are valid UTF-8, else Windows-1252, which contains Latin-1.
2. Lay out. Each delimiter is tried on the first lines. It is good when the rows agree in their number of cells and the cells are values.
3. Read. Arrow reads the body on all cores, and exactly (correctly rounded). It is strict, so ragged rows, comments and columns of blanks are first
   written out as regular CSV by Python's csv module. A column that Arrow does not find to be numbers is read as text and decided in cells.py.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from workbench.exceptions import TableError
from workbench.table.cells import MISSING_NUMBERS, Cells, Decimal, read_cells
from workbench.table.columns import Note, counted, listed
from workbench.table.headers import Header, find_header
from workbench.table.layout import BLANKS, Layout, find_layout, is_comment

if TYPE_CHECKING:
    import pyarrow as pa

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_LINES = 1000
_SAMPLE_BYTES = 2**18
_CHUNK = 2**22
_LARGE = 2**24  # bytes from which Arrow reads in several threads; below, they gain nothing and are still there when the process ends
_RAGGED = 0.1  # of the rows may have too many cells; more, and the delimiter was not understood
_NULLS = sorted({spelling for text in MISSING_NUMBERS for spelling in (text, text.upper(), text.title())} | {"NaN", "<NA>"})


@dataclass(frozen=True)
class TextOptions:
    """What a person may overrule; None finds out."""

    delimiter: str | None = None
    decimal: Decimal | None = None
    encoding: str | None = None
    header: int | None = None


def read_delimited(data: bytes, name: str, options: TextOptions) -> tuple[dict[str, Cells], list[Note]]:
    """Return {column name: its cells} and notes for a text table.

    Parameters
    ----------
    data : the file
    name : what it is called, for messages
    options : delimiter, decimal sign, encoding and row of names, where they are known
    """
    text, notes = _to_utf8(data, name, options.encoding)
    sample = _first_lines(text)
    layout = find_layout(sample, options.delimiter, options.decimal)
    places: list[int] = []
    rows = list(_rows(sample, layout, name, places))
    if options.header and options.header > len(rows):
        raise TableError(f"Row {options.header}, asked for as the row of names, is not there: {name!r} has {len(rows)} rows that could be it. Count rows from 1.")
    header = find_header(rows, layout.decimal, options.header)
    body = _after_lines(text, places[header.first - 1] if header.first else 0)
    columns, more = _read_body(body, layout, header, name)
    return columns, [*notes, *header.notes, *more, *(note for cells in columns.values() for note in cells.notes)]


def _to_utf8(data: bytes, name: str, encoding: str | None) -> tuple[bytes, list[Note]]:
    """Return the text as UTF-8 without a byte-order mark and with "\\n" line ends."""
    mark, found = next(((mark, codec) for mark, codec in _BYTE_ORDER_MARKS if data.startswith(mark)), (b"", None))
    try:
        codec = codecs.lookup(encoding).name if encoding else found or _guess_encoding(data)
    except (LookupError, ValueError):  # a name with a character that no name has is a ValueError
        raise TableError(f"{encoding!r}: no such encoding. Try 'utf-8', 'utf-16' or 'latin-1'.") from None
    try:
        if found and codec.startswith(found[:5]):
            codec, data = found, data[len(mark) :]
        is_utf8 = codec == "utf-8" and (not (encoding or found) or _is_valid(data, codec))  # a guess was made by trying
        text = data if is_utf8 else data.decode(codec).encode("utf-8")
    except LookupError:  # a codec that makes no text, such as "hex"
        raise TableError(f"{encoding!r}: no such encoding. Try 'utf-8', 'utf-16' or 'latin-1'.") from None
    except UnicodeError:
        raise TableError(f"{name!r} is not text in the encoding {codec!r}. Try encoding='utf-8', 'utf-16' or 'latin-1'.") from None
    if b"\x00" in text:
        raise TableError(f"{name!r} is not a text table: it holds bytes that no text has. Save the table as CSV, .xlsx or Parquet.")
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    notes = [] if codec == "utf-8" else [Note("encoding", (), f"The text was read as {_spoken(codec)}.")]
    return text, notes


def _guess_encoding(data: bytes) -> str:
    start = data[:4096]
    if start.count(0) > len(start) // 4:  # every other byte of Western text in UTF-16 is zero
        return "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"
    if _is_valid(data, "utf-8"):
        return "utf-8"
    return "cp1252" if _is_valid(data, "cp1252") else "latin-1"


def _is_valid(data: bytes, codec: str) -> bool:
    """Say whether bytes are text in an encoding, without holding the text in memory."""
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        for start in range(0, len(data), _CHUNK):
            decoder.decode(data[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _spoken(codec: str) -> str:
    return {"cp1252": "Windows-1252 (Latin-1)", "latin-1": "Latin-1"}.get(codec, codec.upper().removesuffix("-LE").removesuffix("-BE"))


def _first_lines(text: bytes) -> list[str]:
    start = text[:_SAMPLE_BYTES]
    if len(text) > _SAMPLE_BYTES and b"\n" in start:
        start = start[: start.rindex(b"\n") + 1]
    lines = start.decode("utf-8", errors="ignore").split("\n")
    return [f"{line}\n" for line in lines[:_SAMPLE_LINES]]


def _rows(lines: Iterable[str], layout: Layout, name: str, places: list[int] | None = None, strict: bool = False) -> Iterator[list[str]]:
    """Yield the cells of every row; comments and blank lines are empty rows.

    places : collects the number of lines read so far
    strict : raise TableError for a quotation that never ends
    """
    delimiter = " " if layout.delimiter == BLANKS else layout.delimiter
    reader = csv.reader(_plain_lines(lines, layout), delimiter=delimiter, skipinitialspace=True, strict=strict)
    try:
        for row in reader:
            if places is not None:
                places.append(reader.line_num)
            yield row
    except csv.Error as error:
        raise TableError(f"{name!r}, line {reader.line_num}: the text cannot be split into cells ({error}). Is a quotation mark left open?") from None


def _plain_lines(lines: Iterable[str], layout: Layout) -> Iterator[str]:
    """Yield lines without comments, and with single spaces where any run of blanks separates cells."""
    for number, line in enumerate(lines):
        if number == layout.names_line:
            line = line.lstrip(layout.comment).lstrip()
        elif is_comment(line):
            line = "\n"
        yield " ".join(line.split()) + "\n" if layout.delimiter == BLANKS else line


def _after_lines(text: bytes, count: int) -> bytes:
    """Return the text below its first lines."""
    end = 0
    for _ in range(count):
        end = text.find(b"\n", end) + 1
        if end == 0:
            return b""
    return text[end:]


def _read_body(body: bytes, layout: Layout, header: Header, name: str) -> tuple[dict[str, Cells], list[Note]]:
    """Read the rows below the names: as they are where they are regular, else made regular first."""
    is_plain = layout.delimiter != BLANKS and b"\n#" not in body and not body.startswith(b"#")
    is_quoted_plainly = body.count(b'"') % 2 == 0 and b'" ' not in body and b' "' not in body
    if is_plain and is_quoted_plainly:
        columns = _read_regular(body, layout.delimiter, header.names, layout.decimal)
        if columns is not None:
            return columns, []
    regular, notes = _regular(body, layout, header.names, name)
    columns = _read_regular(regular, ",", header.names, layout.decimal)
    if columns is None:
        raise TableError(f"{name!r} cannot be split into columns. Save it as CSV with commas, or pass delimiter=....")
    return columns, notes


def _read_regular(body: bytes, delimiter: str, names: Sequence[str], decimal: Decimal) -> dict[str, Cells] | None:
    """Read regular text by Arrow, numbers first, then the rest as text; None when the text is not regular."""
    from pyarrow import ArrowInvalid

    if not body.strip():
        return {column: Cells("number", np.empty(0)) for column in names}
    try:
        found = _arrow(body, delimiter, names, decimal)
    except ArrowInvalid:
        return None
    numeric = {column for column in names if str(found.schema.field(column).type) in ("int64", "double", "null")}
    others = [column for column in names if column not in numeric]
    texts = _arrow(body, delimiter, names, decimal, as_text=others) if others else found
    columns = {}
    for column in names:
        if column in numeric:
            values = found.column(column).to_numpy()
            columns[column] = Cells("number", values.astype(np.float64 if values.dtype == object else values.dtype))
        else:
            columns[column] = read_cells(column, texts.column(column).to_numpy(zero_copy_only=False), decimal)
    return columns


def _arrow(body: bytes, delimiter: str, names: Sequence[str], decimal: Decimal, as_text: Sequence[str] = ()) -> pa.Table:
    """Parse text by Arrow; the columns of `as_text`, and only these where there are any, come as text."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    convert = arrow_csv.ConvertOptions(decimal_point=decimal, null_values=_NULLS)
    if as_text:
        convert = arrow_csv.ConvertOptions(column_types={column: pa.string() for column in as_text}, include_columns=list(as_text))
    return arrow_csv.read_csv(
        pa.py_buffer(body),
        read_options=arrow_csv.ReadOptions(column_names=list(names), use_threads=len(body) > _LARGE),
        parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=b'"' in body),
        convert_options=convert,
    )


def _regular(body: bytes, layout: Layout, names: Sequence[str], name: str) -> tuple[bytes, list[Note]]:
    """Return the rows as regular comma-separated text, each with as many cells as there are names."""
    lines = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8", newline="\n")
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    width, short, long, total = len(names), [], [], 0
    for row in _rows(lines, replace(layout, names_line=-1), name, strict=body.count(b'"') % 2 == 1):
        while len(row) > width and not row[-1].strip():
            row.pop()
        if not row or (width == 1 and not row[0].strip()):
            continue
        total += 1
        if len(row) > width:
            long.append(total)
            continue
        if len(row) < width:
            short.append(total)
        writer.writerow([*row, *[""] * (width - len(row))])
    if len(long) > max(1, _RAGGED * total):
        raise TableError(
            f"{name!r}: {len(long)} of {total} rows have more cells than the {width} columns {listed(names, 6)}. "
            f"It was split at {layout.delimiter!r}; if that is wrong, pass delimiter=..., or header=... for the row of names."
        )
    return out.getvalue().encode("utf-8"), _irregular(short, long, layout)


def _irregular(short: list[int], long: list[int], layout: Layout) -> list[Note]:
    notes = []
    if layout.comment:
        notes.append(Note("rows", (), f"Lines that begin with {layout.comment!r} were skipped as comments."))
    if short:
        notes.append(Note("rows", (), f"Rows with too few cells were filled up as missing: {counted(short)}."))
    if long:
        notes.append(Note("rows", (), f"Rows with too many cells were left out: {counted(long)}."))
    return notes
