"""Workbench of the open project: a drawn network or transformer, one curve of it in the inspector, the proof; every move can be taken back.

The whole page is one fragment: a click runs nothing but it. What takes longer than a moment is followed by the canvas,
which wakes the fragment when there is news; where a browser cannot follow, the fragment looks once a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from workbench.exceptions import WorkbenchError
from workbench.ui.canvas import inspector, laws, network, parse_actions
from workbench.ui.markdown import literal
from workbench.ui.navigation import go, require_project
from workbench.ui.pages import bench_tools, kat
from workbench.ui.pill import WATCHED
from workbench.ui.services import services
from workbench.ui.state.bench import FORMULA, Bench
from workbench.ui.state.history import score_of
from workbench.ui.state.kat import KATBench
from workbench.ui.state.memory import Memory
from workbench.ui.state.room import Room, Scene

NETWORK, INSPECTOR, LAWS = "bench_network", "bench_inspector", "bench_laws"
LOOK_EVERY = 1.0  # seconds, where no stream can be followed
HEIGHT = 588  # px of drawing and inspector: with header and formula one screen of 820
EMPTY = 360  # px of the canvas before there is a network
BANNER = 68  # px that a banner takes from it
ADDRESSES = ("edge", "function")  # of what is in hand, in the address of the page
SHEET = Path(__file__).parents[1] / "bench.css"


def page() -> None:
    """Draw the page."""
    project = require_project()
    if project is None:
        return
    st.html(SHEET)
    rooms = _rooms(project.id)
    room = rooms.of(rooms.kan.scene())
    room.prepare()
    st.fragment(_bench, run_every=LOOK_EVERY if room.must_look else None)(rooms)


@dataclass(frozen=True)
class Rooms:
    """The page of a project as long as it stands at a KAN, and as long as it stands at a transformer."""

    kan: Bench
    kat: KATBench

    def of(self, scene: Scene) -> Bench | KATBench:
        """Return the one that a scene belongs to."""
        return self.kat if scene.is_transformer else self.kan


def _rooms(project: str) -> Rooms:
    edge, function = (st.query_params.get(name) for name in ADDRESSES)
    return Rooms(
        Bench(services(), project, st.session_state.setdefault(f"bench-{project}", Memory(selected=edge))),
        KATBench(services(), project, st.session_state.setdefault(f"kat-{project}", Memory(selected=function))),
    )


def _bench(rooms: Rooms) -> None:
    scene = rooms.kan.scene()
    bench = rooms.of(scene)
    scene = bench.scene() if bench is rooms.kat else scene
    looked = bench.must_look
    if isinstance(bench, KATBench):
        _transformer(bench, scene)
    else:
        _network(bench, scene)
    _remember(bench, scene)
    if looked != bench.must_look or _is_news(bench, scene):
        st.rerun()  # begin to look once a second, or end it; have the pill follow what has begun


def _transformer(bench: KATBench, scene: Scene) -> None:
    with st.container(key="bench"):
        view = kat.header(bench, scene)
        banners = _banners(bench, scene)
        kat.desk(bench, scene, view, HEIGHT - BANNER * banners)
        kat.proof(scene)


def _network(bench: Bench, scene: Scene) -> None:
    with st.container(key="bench"):
        bench_tools.header(bench, scene)
        banners = _banners(bench, scene)
        _desk(bench, scene, HEIGHT - BANNER * banners if scene.state or scene.training else EMPTY)
        if scene.state is None:
            _begin(scene)
        elif scene.is_network:
            _formula(scene)


def _is_news(bench: Room, scene: Scene) -> bool:
    """Say, once, that a long job runs of which the pill, outside of this fragment, does not know yet."""
    job = scene.running.id if scene.running is not None else None
    if job in (None, st.session_state.get(WATCHED), bench.memory.announced):
        return False
    bench.memory.announced = job
    return True


def _banners(bench: Room, scene: Scene) -> int:
    """Draw what needs a word, and return how many banners there are."""
    count = 0
    if scene.costly:
        count += 1
        verb = {"snap": "snap", "name": "name"}.get(scene.state.step.move["name"], "pruning")
        accuracy = score_of(scene.state.step) == "accuracy"
        cost = f"{-100 * scene.change:.2g} points of accuracy" if accuracy else f"{-scene.change:.2g} R²"
        with st.container(key="bench_warning", horizontal=True, vertical_alignment="center"):
            st.warning(f"This {verb} cost {cost} on the rows kept for checking.", icon=":material/warning:", width="stretch")
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


def _remember(bench: Room, scene: Scene) -> None:
    """Keep the edge or the function in the address, so that a link opens it."""
    own = ADDRESSES[int(scene.is_transformer)]
    for name in ADDRESSES:
        address = bench.memory.selected if name == own else None
        if st.query_params.get(name) == address:
            continue
        if address is None:
            del st.query_params[name]
        else:
            st.query_params[name] = address
