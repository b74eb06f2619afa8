"""Tables inside binary and structured files: Parquet, JSON, .npy and .npz.

Nothing that could run code is unpickled. What a file announces is checked against the limits before memory is taken for it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.exceptions import TableError
from workbench.table.limits import DAMAGED_ZIP, MB, Limits, check_archive, check_shape

_JSON_SHAPES = 'a list of records [{"x": 1, "y": 2}, ...], columns {"x": [1, ...], "y": [2, ...]}, or one record a line'


def read_parquet(data: bytes, name: str, limits: Limits) -> list[tuple[str, pd.Series]]:
    """Return the columns of a Parquet file."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(data))
        check_shape(file.metadata.num_rows, file.metadata.num_columns, name, limits)
        expanded = sum(file.metadata.row_group(k).total_byte_size for k in range(file.metadata.num_row_groups))
        cells = 8 * file.metadata.num_rows * file.metadata.num_columns
        if max(expanded, cells) > limits.expanded_bytes:
            raise TableError(_too_large(name, max(expanded, cells), limits))
        frame = file.read().to_pandas()
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:  # the last two from damaged metadata of pandas
        raise TableError(f"{name!r} is no Parquet file that can be read ({_first_line(error)}). Save it again.") from None
    return series_of_frame(frame)


def series_of_frame(frame: pd.DataFrame) -> list[tuple[str, pd.Series]]:
    """Return the columns of a frame by position; an index that has a name becomes a column, and levels of names are joined."""
    if any(level is not None for level in frame.index.names):
        frame = frame.reset_index()
    names = [" ".join(str(part) for part in name if str(part)) if isinstance(name, tuple) else str(name) for name in frame.columns]
    return [(name, frame.iloc[:, k]) for k, name in enumerate(names)]


def read_json(data: bytes, name: str) -> list[tuple[str, Sequence[object]]]:
    """Return the columns of a JSON file: records, columns, or one record a line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TableError(f"{name!r} is not JSON: JSON is text in UTF-8.") from None
    try:
        content = json.loads(text)
    except RecursionError:
        raise TableError(f"{name!r} is nested too deeply. Allowed is {_JSON_SHAPES}.") from None
    except ValueError as error:
        content = _lines_of_json(text, name, error)
    if isinstance(content, Mapping) and len(content) == 1 and isinstance(next(iter(content.values())), list):
        inner = next(iter(content.values()))
        content = inner if inner and isinstance(inner[0], Mapping) else content
    return _columns_of_json(content, name)


def read_numpy(data: bytes, name: str, limits: Limits) -> list[tuple[str, np.ndarray]]:
    """Return the columns of a .npy or .npz file. Arrays of Python objects are refused: reading them could run code."""
    if data.startswith(b"PK"):
        archive = check_archive(data, name, limits)
        arrays = {entry.removesuffix(".npy"): _npy(_entry(archive, entry, name), name, limits) for entry in archive.namelist()}
    else:
        arrays = {"x": _npy(data, name, limits)}
    return columns_of_arrays(arrays, name)


def columns_of_arrays(arrays: Mapping[str, np.ndarray], name: str) -> list[tuple[str, np.ndarray]]:
    """Return columns from named arrays: (n_rows,) is one column, (n_rows, k) is k columns, fields are columns of their own."""
    columns: list[tuple[str, np.ndarray]] = []
    for key, array in arrays.items():
        array = np.asarray(array)
        if array.dtype.names:
            columns += [(field, array[field]) for field in array.dtype.names]
        elif array.ndim == 2:
            columns += [(f"{key}{k + 1}", array[:, k]) for k in range(array.shape[1])]
        elif array.ndim == 1:
            columns.append((key, array))
        else:
            raise TableError(f"{name!r}: array {key!r} has the shape {array.shape}. Allowed are (rows,) and (rows, columns).")
    _check_lengths(columns, name)
    return columns


def _npy(data: bytes, name: str, limits: Limits) -> np.ndarray:
    """Read one .npy array, whose header must announce no more than is there."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(stream)
        announced = int(np.prod([int(size) for size in shape], dtype=object)) * dtype.itemsize
        if dtype.hasobject:
            raise TableError(f"{name!r} holds Python objects, which could run code when read. Save plain numbers or text arrays.")
        if announced > len(data) or announced > limits.expanded_bytes:
            raise TableError(f"{name!r} is cut off: it announces {announced} bytes of values and has {len(data)}. Save it again.")
        return np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError, TypeError) as error:
        raise TableError(f"{name!r} is no NumPy file that can be read ({_first_line(error)}). Save it again with numpy.savez.") from None


def _entry(archive: zipfile.ZipFile, entry: str, name: str) -> bytes:
    try:
        return archive.read(entry)
    except DAMAGED_ZIP as error:
        raise TableError(f"{name!r} is damaged at {entry!r} ({_first_line(error)}). Save it again.") from None


def _lines_of_json(text: str, name: str, error: ValueError) -> list[object]:
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        return [json.loads(line) for line in lines] if len(lines) > 1 else _no_json(name, error)
    except (ValueError, RecursionError):
        return _no_json(name, error)


def _no_json(name: str, error: ValueError) -> list[object]:
    raise TableError(f"{name!r} is not complete JSON ({_first_line(error)}). Allowed is {_JSON_SHAPES}.")


def _columns_of_json(content: object, name: str) -> list[tuple[str, Sequence[object]]]:
    if isinstance(content, list) and content and all(isinstance(record, Mapping) for record in content):
        keys = list(dict.fromkeys(str(key) for record in content for key in record))
        return [(key, [record.get(key) for record in content]) for key in keys]
    if isinstance(content, list) and content and all(isinstance(row, list) for row in content):
        width = max(map(len, content))
        return [(f"x{k + 1}", [row[k] if k < len(row) else None for row in content]) for k in range(width)]
    if isinstance(content, Mapping) and isinstance(content.get("columns"), list) and isinstance(content.get("data"), list):
        rows = _columns_of_json(content["data"], name)
        return [(str(column), values) for column, (_, values) in zip(content["columns"], rows)]
    if isinstance(content, Mapping) and content and all(isinstance(values, list) for values in content.values()):
        columns = list(content.items())
        _check_lengths(columns, name)
        return columns
    raise TableError(f"{name!r} is JSON, but no table. Allowed is {_JSON_SHAPES}.")


def _check_lengths(columns: Sequence[tuple[str, Sequence]], name: str) -> None:
    if len({len(values) for _, values in columns}) > 1:
        lengths = ", ".join(f"{key!r} {len(values)}" for key, values in columns[:6])
        raise TableError(f"{name!r}: the columns have different lengths: {lengths}. Give every column the same number of rows.")


def _too_large(name: str, expanded: int, limits: Limits) -> str:
    return f"{name!r} unpacks to {expanded / MB:,.0f} MB; the limit is {limits.expanded_bytes / MB:,.0f} MB. Keep fewer rows or columns."


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
