"""Files in memory, as people bring them."""

from __future__ import annotations

import io

import numpy as np
import openpyxl


def workbook(sheets: dict[str, list[list[object]]]) -> bytes:
    """Return an .xlsx file with {title: rows}."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    """Return an .npz file with these arrays."""
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()
