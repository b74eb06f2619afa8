"""Measured against predicted values, and what is left, on the page Export.

They are drawn as pictures, which are there at once. Plotly, where one can zoom and read values, is a program of 5 MB that keeps a browser
busy for most of a second: it is loaded for who asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from workbench.figures.charts_svg import ON_ANY_GROUND, parity_svg, residuals_svg
from workbench.figures.plots import Parts, parity, residuals

NAMES = {"train": "training", "validation": "validation", "test": "test"}
SIZE = 440  # px: the width of a picture
HEIGHT = 396  # of a figure
QUIET = {"displayModeBar": False}
WORDS = {"export_parity": "Predicted against measured values", "export_residuals": "Measured minus predicted against predicted values"}


@st.fragment
def plots(told: Mapping[str, Any]) -> None:
    """Draw both plots side by side; classes have neither."""
    if not told["parity"]:
        accuracy = told["metrics"]["r2_test"]
        st.caption(f"Right on {accuracy:.1%} of the test rows." if accuracy is not None else "There are no test rows: too few rows to keep any apart.")
        return
    parts = [(NAMES[part], np.array(rows["measured"], dtype=float), np.array(rows["predicted"], dtype=float)) for part, rows in told["parity"].items()]
    name, unit = told["target"]["name"], told["target"]["unit"] or None
    with st.container(key="export_plots", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader("Measured and predicted", anchor=False, width="stretch")
            interactive = st.toggle("Zoom and read values", key="export_interactive")
        (_interactive if interactive else _drawn)(parts, name, unit)
        metrics = told["metrics"]
        figures_of = {"training": metrics["r2_train"], "checked": metrics["r2_validation"], "test": metrics["r2_test"]}
        st.caption("R²: " + " · ".join(f"{part} {value:.4f}" for part, value in figures_of.items() if value is not None))


def _drawn(parts: Parts, name: str, unit: str | None) -> None:
    pictures = {"export_parity": parity_svg, "export_residuals": residuals_svg}
    for column, (key, draw) in zip(st.columns(2), pictures.items(), strict=True):
        with column:
            st.image(draw(parts, name, unit, style=ON_ANY_GROUND), width=SIZE, alt=WORDS[key])


def _interactive(parts: Parts, name: str, unit: str | None) -> None:
    figures = {"export_parity": parity(parts, name, unit), "export_residuals": residuals(parts, name, unit)}
    for column, (key, figure) in zip(st.columns(2), figures.items(), strict=True):
        figure.update_layout(height=HEIGHT)
        with column:
            st.plotly_chart(figure, key=key, config=QUIET, alt=WORDS[key])
