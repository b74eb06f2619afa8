"""Measured against predicted values, and what is left, on the page Export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

NAMES = {"train": "training", "validation": "validation", "test": "test"}
HEIGHT = 330
QUIET = {"displayModeBar": False}


def plots(told: Mapping[str, Any]) -> None:
    """Draw both plots side by side; classes have neither."""
    if not told["parity"]:
        accuracy = told["metrics"]["r2_test"]
        st.caption(f"Right on {accuracy:.1%} of the test rows." if accuracy is not None else "There are no test rows: too few rows to keep any apart.")
        return
    from workbench.figures.plots import parity, residuals  # with the numerics under it: not for the first page

    parts = [(NAMES[part], np.array(rows["measured"], dtype=float), np.array(rows["predicted"], dtype=float)) for part, rows in told["parity"].items()]
    name, unit = told["target"]["name"], told["target"]["unit"] or None
    left, right = st.columns(2)
    figures = {"export_parity": parity(parts, name, unit), "export_residuals": residuals(parts, name, unit)}
    words = {"export_parity": "Predicted against measured values", "export_residuals": "Measured minus predicted against predicted values"}
    for column, (key, figure) in zip((left, right), figures.items(), strict=True):
        figure.update_layout(height=HEIGHT)
        with column:
            st.plotly_chart(figure, key=key, config=QUIET, alt=words[key])
    metrics = told["metrics"]
    figures_of = {"training": metrics["r2_train"], "checked": metrics["r2_validation"], "test": metrics["r2_test"]}
    st.caption("R²: " + " · ".join(f"{part} {value:.4f}" for part, value in figures_of.items() if value is not None))
