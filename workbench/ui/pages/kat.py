"""The Workbench page of a transformer: every activation function over what it receives, one of them in the inspector, or attention to a row.

It is drawn in the fragment of the page Workbench (see `bench`): which of the two is decided by the state that is looked at.
"""

from __future__ import annotations

import streamlit as st

from workbench.exceptions import WorkbenchError
from workbench.ui.canvas import attention, functions, inspector, parse_actions
from workbench.ui.canvas.events import parse_function
from workbench.ui.markdown import literal
from workbench.ui.navigation import link
from workbench.ui.pages.bench_tools import code, history, signed
from workbench.ui.pages.bench_training import controls
from workbench.ui.state.kat import KATBench
from workbench.ui.state.room import Scene

FUNCTIONS, INSPECTOR, ATTENTION = "kat_functions", "kat_inspector", "kat_attention"
VIEWS = {"functions": "Functions", "attention": "Attention"}
SIMPLE = {"simplest": 3, "simple": 5, "any": 12}  # how complex a form may be
EXPLAINED = "A snap changes the function for every channel that shares it; the model is trained on a little afterwards, towards the outputs it had."


def header(bench: KATBench, scene: Scene) -> str:
    """Draw the name, the figures and the moves; return which view is wanted."""
    with st.container(key="bench_head", horizontal=True, vertical_alignment="center"):
        with st.container(key="bench_name", width="content"):
            st.text(scene.project.name)
        shown = scene.view if scene.view.get("kind") == "kat" else {}
        if shown:
            with st.container(key="bench_stale" if scene.training else "bench_figures", horizontal=True, vertical_alignment="center", width="content"):
                _figures(scene)
        st.space("stretch")
        view = "functions"
        if shown and scene.training is None:
            view = st.segmented_control("View", list(VIEWS), default="functions", required=True, key="kat_view", label_visibility="collapsed",
                                        format_func=VIEWS.__getitem__)  # fmt: skip
        history(bench, scene)
        if shown and scene.training is None:
            _name_all(bench, scene)
            named = any(function["state"] == "snapped" for function in scene.view["functions"])
            st.button("Refit", key="kat_refit", icon=":material/model_training:", disabled=not named or scene.running is not None,
                      help="Ten more epochs towards the outputs the model had before any name, constants of names included",
                      on_click=bench.move, args=("refit",))  # fmt: skip
        if scene.training is not None:
            controls(bench, scene)
        if shown:
            code(bench, scene)
            link("export", "Export", scene.project.id, icon=":material/ios_share:")
    return view or "functions"


def _figures(scene: Scene) -> None:
    metrics = scene.view["metrics"]
    score, value = metrics["score"], metrics["r2_validation"]
    shown = f"{100 * value:.2f} %" if score == "accuracy" else f"{value:.4f}"
    help_ = f"{score} · On the validation rows, which no training has seen. On the training rows: {metrics['r2_train']:.4f}."
    st.badge(f"{score} {shown}", color="blue" if value > 0.9 else "orange", help=help_)
    named, total = metrics["n_symbolic"], metrics["n_edges"]
    st.badge(f"{named}/{total} named", color="green" if named == total else "gray", help="Activation functions with a name.")
    if scene.change is not None:
        colour = "orange" if scene.costly else "gray"
        change = f"{_points(scene.change)} points" if score == "accuracy" else f"ΔR² {signed(scene.change)}"
        st.badge(change, color=colour, help=f"What the last move did to {score}: {literal(scene.state.step.label)}.")


def _points(change: float) -> str:
    """Return a change of accuracy in percentage points.

    >>> _points(-0.0028), _points(0.0)
    ('−0.28', '±0')
    """
    return "±0" if abs(change) < 5e-6 else f"{'+' if change > 0 else '−'}{100 * abs(change):.2f}"


def _name_all(bench: KATBench, scene: Scene) -> None:
    left = sum(function["state"] != "snapped" for function in scene.view["functions"])
    popover = st.popover("Name all", key="kat_name_open", icon=":material/label:", on_change="rerun", disabled=scene.running is not None or not left)
    if not popover.open:
        return
    with popover, st.container(width=400):
        words = f"**Name the {left} functions** that have none" if left > 1 else "**Name the one function** that has none"
        st.markdown(f"{words}, from the input to the output: each by the form that keeps the model's outputs best for what it asks to be believed.")
        st.caption("Every name is a move of its own, and can be undone. At the end the model is trained on for ten epochs.")
        size = st.segmented_control("Forms", list(SIMPLE), default="any", required=True, key="kat_complexity", on_change="ignore",
                                    help="How complex a form may be: up to 3, 5 or 12. A square has 2, a tanh 3, a GELU 5")  # fmt: skip
        st.button("Name all", key="kat_name_all", type="primary", icon=":material/label:", on_click=lambda: bench.start(
            "kat.name_all", max_complexity=SIMPLE[st.session_state.get("kat_complexity") or size]))  # fmt: skip


def desk(bench: KATBench, scene: Scene, view: str, height: int) -> None:
    """Draw the functions with the inspector of one, or the attention to a row."""
    with st.container(key="bench_desk"):
        if view == "attention" and scene.state is not None and scene.training is None:
            attention(ATTENTION, bench.attention(scene, height), on_row=lambda: bench.look_at(st.session_state[ATTENTION].get("row")), on_news=lambda: None)
            return
        told = bench.inspector(scene, height)
        left, right = st.columns([7, 4], gap="small")  # also without inspector: a canvas that moves is built anew
        with left:
            functions(
                FUNCTIONS, bench.canvas(scene, height), on_action=lambda: _act(bench, FUNCTIONS),
                on_select=lambda: bench.select(st.session_state[FUNCTIONS].get("selected")),
                on_news=lambda: None, on_stream_lost=lambda: bench.lose(st.session_state[FUNCTIONS].get("stream")),
            )  # fmt: skip
        if told is not None:
            with right, st.container(key="bench_inspected"):
                inspector(INSPECTOR, told, on_action=lambda: _act(bench, INSPECTOR))


def _act(bench: KATBench, component: str) -> None:
    try:
        bench.act(parse_actions(st.session_state[component].get("action"), bench.memory.done.get(component, 0), parse_function), component)
    except WorkbenchError as problem:
        bench.refuse(str(problem))


def proof(scene: Scene) -> None:
    """Draw what the names cost: the snapped model beside the one that was trained."""
    if scene.view.get("kind") != "kat":
        return
    certificate = scene.view["certificate"]
    classes = scene.view["task"] == "classification"
    with st.container(key="bench_formula", border=True, horizontal=True, vertical_alignment="center"):
        with st.container(key="kat_proof", width="stretch"):
            if certificate["n_named"]:
                st.markdown(" :gray[·] ".join(_compared(part, both, classes) for part, both in certificate["parts"].items()))
                st.caption(EXPLAINED)
            else:
                st.markdown("No function has a name yet: the model is as it was trained. Click a function, and choose what it could be called.")
                st.caption(EXPLAINED)
        colour = "gray" if not certificate["n_named"] else "green" if certificate["n_named"] == certificate["n_functions"] else "blue"
        st.badge("snapped beside trained", icon=":material/compare_arrows:", color=colour,
                 help=f"{literal(scene.view['certificate_text'])} No closed formula of a transformer is claimed.")  # fmt: skip


def _compared(part: str, both: dict[str, float], classes: bool) -> str:
    before, after = both["score_opened"], both["score_snapped"]
    words = {"train": "training rows", "validation": "validation rows", "test": "test rows"}.get(part, part)
    if classes:
        return f"**{words}** {100 * before:.2f} % → {100 * after:.2f} %, same class on {100 * both['same_class']:.2f} %"
    return f"**{words}** R² {before:.4f} → {after:.4f}, outputs {both['rms']:.2g} apart of {both['output_rms']:.2g}"
