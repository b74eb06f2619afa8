"""Data of the open project: what each column is for, what a fit would be, and the button that starts it.

Widgets hold what the plan held when they were drawn first, and hand every change to the controller, which keeps it. When
a change does not come from the widget itself (another target, another sheet), the widgets are made anew: `generation`
counts that and is part of their keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from workbench.dataset import ROLES
from workbench.dataset.transforms import TRANSFORMS
from workbench.exceptions import WorkbenchError
from workbench.store import Project
from workbench.table import Note
from workbench.ui.markdown import literal
from workbench.ui.navigation import go, require_project
from workbench.ui.pages.data_settings import advanced, blocks, reading
from workbench.ui.services import services
from workbench.ui.state.data import NO_TRANSFORM, PREVIEW_ROWS, Outlook, Preparation

TALLEST_EDITOR = 10  # columns of the table that are shown without scrolling
MOST_NOTES = 40
MODELS = {"kan": "KAN", "kat": "KAT"}
ABOUT_MODELS = (
    "A KAN becomes a formula: for tables with a law behind them. A KAT, a transformer with learned activations, is for images and tables "
    "without one: its activations are looked at and named."
)
WARNED = {"missing", "infinite", "constant", "duplicate", "correlated", "rows", "ignored"}  # kinds of notes worth a second look


def page() -> None:
    """Draw the page."""
    project = require_project()
    if project is None:
        return
    data = Preparation(services(), project.id)
    _heading(project, data)
    if not data.has_data:
        st.info("This project has no data yet. Drop a table on the page Projects.")
        return
    outlook = data.outlook()
    left, right = st.columns([2.6, 1], gap="medium")
    with left:
        _columns(data)
        _tabs(data, outlook)
    with right, st.container(border=True, key="fit_panel"):
        _panel(data, outlook)


def _heading(project: Project, data: Preparation) -> None:
    st.subheader(literal(project.name), anchor=False)
    if data.has_data:
        n_columns = len(data.table.columns)
        size = f"{data.table.n_rows:,} rows × {n_columns} {'column' if n_columns == 1 else 'columns'}"
        st.caption(" · ".join(part for part in (literal(data.plan.reading.file), size) if part))


def _columns(data: Preparation) -> None:
    rows = data.columns()
    key = f"columns-{data.project.id}-{generation(data)}"
    frame = st.session_state.setdefault(f"frame-{key}", pd.DataFrame(rows))
    st.data_editor(
        frame,
        key=key,
        hide_index=True,
        height="auto" if len(rows) <= TALLEST_EDITOR else 480,
        num_rows="fixed",
        disabled=["name", "kind", "missing", "distribution", "lowest", "highest", "symbol"],
        column_order=["name", "role", "unit", "distribution", "lowest", "highest", "missing", "kind", "transform", "symbol"],
        on_change=_edited,
        args=(data, key),
        column_config={
            "name": st.column_config.TextColumn("Column", pinned=True),
            "role": st.column_config.SelectboxColumn("Role", options=list(ROLES), required=True, width=95, help="What the column is for"),
            "unit": st.column_config.TextColumn("Unit", width=75, max_chars=60, help="Such as m, kg/m^3 or °C; it travels into the formula"),
            "distribution": st.column_config.BarChartColumn("Distribution", width=110, y_min=0),
            "lowest": st.column_config.TextColumn("Min", width=80),
            "highest": st.column_config.TextColumn("Max", width=80),
            "missing": st.column_config.NumberColumn("Missing", width=70),
            "kind": st.column_config.TextColumn("Holds", width=90),
            "transform": st.column_config.SelectboxColumn("Transform", options=[NO_TRANSFORM, *TRANSFORMS], required=True, width=100,
                                                          help="log: the network sees the natural logarithm; the formula stays in your scale"),
            "symbol": st.column_config.TextColumn("In formulas", width=100),
        },
    )  # fmt: skip


def _edited(data: Preparation, key: str) -> None:
    task = data.plan.task
    attempt(lambda: data.edit(st.session_state[key]["edited_rows"]))
    if data.plan.task != task:  # the widget of the task holds the old one
        renew(data)


def _tabs(data: Preparation, outlook: Outlook) -> None:
    notes, rows, file = st.tabs([f"Notes ({len(outlook.notes)})", "Rows", "File"])
    with notes:
        _notes(outlook.notes)
    with rows:
        shown = data.table.rows(slice(PREVIEW_ROWS)).frame
        st.dataframe(shown, height=320)
        if data.table.n_rows > PREVIEW_ROWS:
            st.caption(f"The first {PREVIEW_ROWS} of {data.table.n_rows:,} rows.")
    with file:
        reading(data, attempt)


def _notes(notes: Sequence[Note]) -> None:
    if not notes:
        st.caption("Nothing to remark: every value is a number, and none is missing.")
    lines = [f"{':orange[:material/warning:]' if note.kind in WARNED else ':gray[:material/info:]'} {literal(note.text)}" for note in notes]
    st.markdown("\n\n".join(lines[:MOST_NOTES]))
    if len(lines) > MOST_NOTES:
        st.caption(f"And {len(lines) - MOST_NOTES} more.")


def _panel(data: Preparation, outlook: Outlook) -> None:
    names = [column.name for column in data.table.columns]
    target = next(iter(data.plan.targets), None)
    key = f"target-{data.project.id}-{generation(data)}"
    st.selectbox("Predict", names, index=names.index(target) if target in names else None, key=key, placeholder="Choose a column",
                 on_change=_target_chosen, args=(data, key))  # fmt: skip
    changed = _Changes(data)
    st.segmented_control("Model", list(MODELS), default=data.plan.model, required=True, key=changed.key("model"), format_func=MODELS.__getitem__,
                         on_change=changed.plan, args=("model",), help=ABOUT_MODELS, width="stretch")  # fmt: skip
    if data.plan.model == "kat":
        blocks(data, changed)
    else:
        _hidden_layers(data, changed)
    advanced(data, changed)
    if problem := st.session_state.pop("data_problem", None) or outlook.problem:
        st.error(literal(problem), icon=":material/error:")
    else:
        st.markdown(f"**{literal(outlook.title)}**")
        st.caption(literal(outlook.detail))
    _start(data, ready=outlook.problem is None)


def _hidden_layers(data: Preparation, changed: _Changes) -> None:
    st.text_input("Hidden layers", data.plan.network.hidden, key=changed.key("hidden"), placeholder="automatic", on_change=changed.network,
                  args=("hidden",), help="Sizes such as 5, or 4, 3 for two layers, or none: then every input has one curve, and they add up.")  # fmt: skip


def _target_chosen(data: Preparation, key: str) -> None:
    if st.session_state[key] is not None:
        attempt(lambda: data.choose_target(st.session_state[key]))
        renew(data)


def _start(data: Preparation, ready: bool) -> None:
    job = data.running()
    running = job is not None
    transformer = data.plan.model == "kat"
    fit = st.button("Train" if transformer else "Fit", key="fit", type="primary", icon=":material/play_arrow:", shortcut="Ctrl+Enter", width="stretch",
                    disabled=running or not ready)  # fmt: skip
    search = not transformer and st.button("Find the law", key="find_law", icon=":material/auto_awesome:", width="stretch", disabled=running or not ready,
                       help="The machine makes the moves: fits, prunes and names curves, and keeps every step. You can undo each.")  # fmt: skip
    if job is not None:
        paused = "A fit of this project is paused. Go on with it or end it on the page Workbench."
        st.caption(paused if job.status == "paused" else "A fit of this project is under way.")
    if (fit and attempt(data.fit)) or (search and attempt(data.search)):
        go("workbench", data.project.id)


class _Changes:
    """The callbacks of the widgets of one run: each takes the value under the widget's key to the plan."""

    def __init__(self, data: Preparation) -> None:
        self._data, self._generation = data, generation(data)

    def key(self, name: str) -> str:
        """Return the key of the widget for a field."""
        return f"{name}-{self._data.project.id}-{self._generation}"

    def plan(self, name: str) -> None:
        """Take a field of the plan over."""
        attempt(lambda: self._data.change(**{name: st.session_state[self.key(name)]}))

    def network(self, name: str) -> None:
        """Take a setting of the fit over."""
        attempt(lambda: self._data.change_network(**{name: st.session_state[self.key(name)]}))

    def blocks(self, name: str) -> None:
        """Take a setting of the transformer over."""
        attempt(lambda: self._data.change_blocks(**{name: st.session_state[self.key(name)]}))


def generation(data: Preparation) -> int:
    """Return how often the widgets of a project were made anew in this session."""
    return st.session_state.get(f"generation-{data.project.id}", 0)


def renew(data: Preparation) -> None:
    """Have all widgets made anew, with the values of the plan."""
    st.session_state[f"generation-{data.project.id}"] = generation(data) + 1


def attempt(do: Callable[[], Any]) -> bool:
    """Do something; what is in the way is shown on the page in one sentence."""
    try:
        do()
    except WorkbenchError as problem:
        st.session_state["data_problem"] = str(problem)
        return False
    return True
