"""Workbench of the open project: the drawn network, one edge in the inspector, the formula; every move can be taken back.

The whole page is one fragment: a click runs nothing but it. What takes longer than a moment is followed by the canvas,
which wakes the fragment when there is news; where a browser cannot follow, the fragment looks once a second.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.exceptions import WorkbenchError
from workbench.ui.canvas import inspector, laws, network, parse_actions
from workbench.ui.markdown import literal
from workbench.ui.navigation import go, require_project
from workbench.ui.pages import bench_tools
from workbench.ui.pill import WATCHED
from workbench.ui.services import services
from workbench.ui.state.bench import FORMULA, Bench, Scene
from workbench.ui.state.memory import Memory

NETWORK, INSPECTOR, LAWS = "bench_network", "bench_inspector", "bench_laws"
LOOK_EVERY = 1.0  # seconds, where no stream can be followed
HEIGHT = 588  # px of drawing and inspector: with header and formula one screen of 820
EMPTY = 360  # px of the canvas before there is a network
BANNER = 68  # px that a banner takes from it
SHEET = Path(__file__).parents[1] / "bench.css"


def page() -> None:
    """Draw the page."""
    project = require_project()
    if project is None:
        return
    st.html(SHEET)
    memory = st.session_state.setdefault(f"bench-{project.id}", Memory(selected=st.query_params.get("edge")))
    bench = Bench(services(), project.id, memory)
    bench.prepare()
    st.fragment(_bench, run_every=LOOK_EVERY if bench.must_look else None)(bench)


def _bench(bench: Bench) -> None:
    looked = bench.must_look
    scene = bench.scene()
    with st.container(key="bench"):
        bench_tools.header(bench, scene)
        banners = _banners(bench, scene)
        _desk(bench, scene, HEIGHT - BANNER * banners if scene.state or scene.training else EMPTY)
        if scene.state is None:
            _begin(scene)
        else:
            _formula(scene)
    _remember_edge(bench.memory.selected)
    if looked != bench.must_look or _is_news(bench, scene):
        st.rerun()  # begin to look once a second, or end it; have the pill follow what has begun


def _is_news(bench: Bench, scene: Scene) -> bool:
    """Say, once, that a long job runs of which the pill, outside of this fragment, does not know yet."""
    job = scene.running.id if scene.running is not None else None
    if job in (None, st.session_state.get(WATCHED), bench.memory.announced):
        return False
    bench.memory.announced = job
    return True


def _banners(bench: Bench, scene: Scene) -> int:
    """Draw what needs a word, and return how many banners there are."""
    count = 0
    if scene.costly:
        count += 1
        verb = "snap" if scene.state.step.move["name"] == "snap" else "pruning"
        with st.container(key="bench_warning", horizontal=True, vertical_alignment="center"):
            st.warning(f"This {verb} cost {-scene.change:.2g} R² on the rows kept for checking.", icon=":material/warning:", width="stretch")
            st.button("Undo it", key="bench_undo_costly", on_click=bench.history, args=("undo",))
    if bench.refusal:
        count += 1
        st.error(literal(bench.refusal), icon=":material/error:")
    return count


def _desk(bench: Bench, scene: Scene, height: int) -> None:
    with st.container(key="bench_desk"):
        told = bench.inspector(scene, height)
        left, right = st.columns([7, 4], gap="small")  # also without inspector: a canvas that moves is built anew
        with left:
            network(
                NETWORK, bench.canvas(scene, height), on_action=lambda: _act(bench, NETWORK), on_select=lambda: _select(bench),
                on_news=lambda: None, on_stream_lost=lambda: bench.lose(st.session_state[NETWORK].get("stream")),
            )  # fmt: skip
        listed = bench.laws(scene, height)
        if told is not None:
            with right, st.container(key="bench_inspected"):
                inspector(INSPECTOR, told, on_action=lambda: _act(bench, INSPECTOR))
        elif listed is not None:
            with right, st.container(key="bench_listed"):
                laws(LAWS, listed, on_action=lambda: _act(bench, LAWS))


def _act(bench: Bench, component: str) -> None:
    try:
        bench.act(parse_actions(st.session_state[component].get("action"), bench.memory.done.get(component, 0)), component)
    except WorkbenchError as problem:
        bench.refuse(str(problem))


def _select(bench: Bench) -> None:
    bench.select(st.session_state[NETWORK].get("selected"))


def _begin(scene: Scene) -> None:
    """There is no network yet: say what to do, with the way there."""
    if scene.running is None:
        with st.container(key="bench_begin", horizontal=True, horizontal_alignment="center"):
            if st.button("Choose columns and fit", type="primary", icon=":material/table:"):
                go("data", scene.project.id)


def _formula(scene: Scene) -> None:
    shown = scene.view["formula"]
    with st.container(key="bench_formula", border=True, horizontal=True, vertical_alignment="center"):
        with st.container(key=FORMULA, width="stretch"):
            if shown.get("latex"):
                st.latex((shown.get("terms") or shown)["latex"])
            else:
                st.caption(shown.get("message") or f"The formula has {shown['complexity']} parts, too many to be read here. Prune, or open Export.")
        bench_tools.proof(scene)


def _remember_edge(edge: str | None) -> None:
    """Keep the edge in the address, so that a link opens it."""
    if st.query_params.get("edge") == edge:
        return
    if edge is None:
        del st.query_params["edge"]
    else:
        st.query_params["edge"] = edge
