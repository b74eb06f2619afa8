"""The figures and the moves above the drawing of the Workbench page, and the proof below it."""

from __future__ import annotations

import re

import streamlit as st

from workbench.exceptions import WorkbenchError
from workbench.ui.markdown import literal
from workbench.ui.navigation import link
from workbench.ui.pages.bench_search import search
from workbench.ui.pages.bench_training import controls
from workbench.ui.state.bench import Bench
from workbench.ui.state.history import Line, lines
from workbench.ui.state.kat import KATBench
from workbench.ui.state.miniature import sheet
from workbench.ui.state.room import Room, Scene

CHECKED = {
    "holdout": "On the validation rows, which no fit has seen.",
    "kfold": "Cross-validated: every row is predicted by a fit that has not seen it.",
    "leave_one_out": "Every row is predicted by a fit to all the others.",
}
MOST_LINES = 60
PICTURED = ".st-key-bench_history .st-key-bench_state_{} button"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def header(bench: Bench, scene: Scene) -> None:
    """Draw the name, the figures and the moves."""
    with st.container(key="bench_head", horizontal=True, vertical_alignment="center"):
        with st.container(key="bench_name", width="content"):
            st.text(scene.project.name)
        if scene.is_network:
            with st.container(key="bench_stale" if scene.training else "bench_figures", horizontal=True, vertical_alignment="center", width="content"):
                _figures(scene)
        st.space("stretch")
        history(bench, scene)
        if scene.is_network and scene.training is None:
            _prune(bench, scene)
        if scene.project.dataset is not None and scene.training is None:
            search(bench, scene)
        if scene.state is not None or scene.training is not None:
            controls(bench, scene)
        if scene.is_network:
            code(bench, scene)
            link("export", "Export", scene.project.id, icon=":material/ios_share:")


def _figures(scene: Scene) -> None:
    view = scene.view
    metrics = view["metrics"]
    how = CHECKED.get(view.get("checked_by", ""), "")
    score = "accuracy" if view.get("task") == "classification" else "R²"
    r2 = metrics["r2_validation"]
    st.badge(f"{score} {r2:.4f}", color="blue" if r2 > 0.9 else "orange", help=f"{score} · {how} On the training rows: {metrics['r2_train']:.4f}.")
    if view.get("rmse") is not None:
        unit = literal(_written(view["unit"]))
        st.badge(f"RMSE {_figure(view['rmse'])} {unit}".strip(), color="gray", help=f"Root mean square error. {how}")
    else:
        st.badge(f"error {_figure(metrics['rmse_validation'])}", color="gray", help=f"Root mean square error as a share of the target's spread. {how}")
    named, edges = metrics["n_symbolic"], metrics["n_edges"]
    st.badge(f"{named}/{edges} symbolic", color="green" if named == edges else "gray", help="Edges with a name, of those that are left.")
    if scene.change is not None:
        colour = "orange" if scene.costly else "gray"
        st.badge(f"Δ{score} {signed(scene.change)}" if score == "R²" else f"Δ {signed(scene.change)}", color=colour, help=f"What the last move did to {score}: {literal(scene.state.step.label)}.")


def _written(unit: str) -> str:
    """Return a unit with raised exponents.

    >>> _written("ft^3"), _written("m s^-2")
    ('ft³', 'm s⁻²')
    """
    return re.sub(r"\^(-?\d+)", lambda power: power[1].translate(_RAISED), unit or "")


def _figure(value: float) -> str:
    """Return a positive number with three figures.

    >>> _figure(0.0000902), _figure(2.972)
    ('9.02·10⁻⁵', '2.97')
    """
    mantissa, _, exponent = f"{value:.3g}".partition("e")
    return f"{mantissa}·10{str(int(exponent)).translate(_RAISED)}" if exponent else mantissa


def signed(change: float) -> str:
    """Return a change of R2 with its sign."""
    if abs(change) < 5e-6:
        return "0"
    return f"{'+' if change > 0 else '−'}{abs(change):.{2 if abs(change) >= 0.1 else 4 if abs(change) >= 1e-4 else 5}f}"


# ---- history


def history(bench: Room, scene: Scene) -> None:
    """Draw undo, redo and the list of all states."""
    waits = bool(bench.memory.moves or bench.memory.waiting)
    st.button("Undo", key="bench_undo", icon=":material/undo:", help="Undo (Ctrl+Z)", disabled=not (scene.can_undo or waits),
              on_click=bench.history, args=("undo",))  # fmt: skip
    st.button("Redo", key="bench_redo", icon=":material/redo:", help="Redo (Ctrl+Shift+Z)", disabled=not scene.can_redo,
              on_click=bench.history, args=("redo",))  # fmt: skip
    popover = st.popover("History", key="bench_history_open", icon=":material/history:", on_change="rerun", disabled=scene.state is None)
    if popover.open:
        found = lines(scene.steps, scene.project.cursor)
        with popover, st.container(key="bench_history", height=380 if len(found) > 9 else "content", width=480, gap=None):
            _lines(bench, found)


def _lines(bench: Room, found: tuple[Line, ...]) -> None:
    if len(found) > MOST_LINES:
        here = next((k for k, line in enumerate(found) if line.here), 0)
        first = max(0, min(here - MOST_LINES // 2, len(found) - MOST_LINES))
        found = found[first : first + MOST_LINES]
    st.html(sheet(bench.pictures(line.state for line in found), PICTURED))
    for line in found:
        mark = ":material/radio_button_checked:" if line.here else ":material/radio_button_unchecked:" if line.on_path else ":material/more_horiz:"
        indent = "\u2003" * min(line.depth, 6)
        figures = "" if line.r2 is None else f" · {line.score} {line.r2:.4f}" + (f" ({signed(line.change)})" if line.change is not None else "")
        text = f"{indent}{literal(line.label)}:gray[{figures}]" if line.on_path else f":gray[{indent}{literal(line.label)}{figures}]"
        st.button(f"**{text}**" if line.here else text, key=f"bench_state_{line.state}", icon=mark, type="tertiary",
                  on_click=bench.go_to, args=(line.state,))  # fmt: skip


# ---- moves of the whole network


def _prune(bench: Bench, scene: Scene) -> None:
    popover = st.popover("Prune", key="bench_prune_open", icon=":material/content_cut:", on_change="rerun", disabled=scene.running is not None)
    if not popover.open:
        return
    from workbench.figures.plots import pruning_curve

    with popover, st.container(width=430):
        try:
            with st.spinner("Removing edge after edge, on trial …"):
                steps = bench.pruning_curve(scene.state.step.id)
        except WorkbenchError as problem:
            st.error(literal(problem))
            return
        if len(steps) < 2:
            st.caption("Every edge that is left is needed: without it an output would hang in the air.")
            return
        counts = [step["edges"] for step in steps]
        kept = st.select_slider("Edges kept", options=counts[::-1], value=counts[0], key=f"bench_kept_{scene.state.step.id}")
        step = steps[counts.index(kept)]
        figure = pruning_curve(counts, [one["rmse"] for one in steps], kept=kept)
        figure.update_layout(height=210, margin={"l": 55, "r": 10, "t": 10, "b": 40})
        st.plotly_chart(figure, key="bench_prune_curve", config={"displayModeBar": False}, alt="Validation error against edges kept")
        st.caption(f"Error on checked rows, in units of the target's spread: {steps[0]['rmse']:.3g} now, {step['rmse']:.3g} with {kept} edges.")
        with st.container(horizontal=True):
            st.button(f"Prune to {kept}", key="bench_prune", type="primary", disabled=kept == counts[0],
                      on_click=bench.move, args=("prune",), kwargs={"edges": step["removed"]})  # fmt: skip
            st.button("Eliminate", key="bench_eliminate", on_click=bench.move, args=("eliminate",),
                      help="Remove edges as long as the error on checked rows allows it, within one standard error of the best")  # fmt: skip


def code(bench: Bench | KATBench, scene: Scene) -> None:
    """Draw the Python of the last move, and of everything that led here."""
    popover = st.popover("Code", key="bench_code_open", icon=":material/code:", on_change="rerun", help="The Python of what was done here")
    if not popover.open:
        return
    with popover, st.container(width=620):
        st.caption("The last move")
        st.code(scene.view.get("code", ""), language="python")
        st.caption("Everything that led here")
        try:
            st.code(bench.script(scene.state.step.id), language="python", height=320)
        except WorkbenchError as problem:
            st.error(literal(problem))


# ---- the proof


def proof(scene: Scene) -> None:
    """Draw the certificate as a chip, with the whole sentence behind it."""
    shown = scene.view["formula"]
    certificate = shown.get("certificate")
    if certificate is None:
        st.badge("no certificate", color="orange", help=literal(shown.get("certificate_text") or shown.get("message") or ""))
        return
    text = literal(shown["certificate_text"])
    if certificate["exact"]:
        st.badge("formula = network", icon=":material/verified:", color="green", help=text)
    else:
        st.badge("formula ≈ network", icon=":material/rule:", color="orange", help=text)
    if shown.get("unnamed"):
        count = shown["unnamed"]
        words = "1 edge has no name yet: it stands" if count == 1 else f"{count} edges have no name yet: they stand"
        them = "it" if count == 1 else "them"
        st.badge(f"{count} unnamed", color="gray", help=f"{words} in the formula by name, and every export defines {them} exactly.")
