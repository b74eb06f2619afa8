"""Find the law: what binds the search, how long it may take, and how it is ended. What it finds is in the list of formulas (canvas `laws`)."""

from __future__ import annotations

import streamlit as st

from workbench.ui.pages.machine import machine
from workbench.ui.state.bench import Bench, Scene
from workbench.ui.state.laws import SEARCHES
from workbench.ui.state.machine import COST, engines

BUDGETS = {"10 s": 10.0, "30 s": 30.0, "1 min": 60.0, "3 min": 180.0, "10 min": 600.0}
FUNCTIONS = ("exp", "log", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "abs", "sign", "erf")
ALONG = {"sqrt": ("cbrt",), "exp": ("expm1",), "log": ("log1p",), "sinh": ("asinh",), "cosh": ("acosh",), "tanh": ("atanh",)}  # allowed with another
ANY = "any"
LENGTHS = (5, 7, 10, 15, 20, 30, ANY)
STOP = "End the search here: what it has found is kept, and the best of it is picked"


def search(bench: Bench, scene: Scene) -> None:
    """Draw the way to a search, or out of the one that runs."""
    if scene.running is not None and scene.running.task in SEARCHES:
        st.button("Stop the search", key="bench_stop_search", icon=":material/stop_circle:", help=STOP, on_click=bench.stop)
        return
    if st.session_state.pop("bench_machine", False):
        machine()
    popover = st.popover("Find the law", key="bench_law_open", icon=":material/auto_awesome:", on_change="rerun", disabled=scene.running is not None)
    if not popover.open:
        return
    with popover, st.container(width=430):
        _whole(bench, scene)
        if scene.state is not None:
            st.divider()
            st.markdown("**Name the edges** of this network instead, the surest first. An edge that no form fits without loss stays as it is, and so does a locked one.")
            st.button("Name the edges", key="bench_name_edges", icon=":material/label:", on_click=bench.start, args=("discovery.name_edges",))
        st.divider()
        _one_engine(bench, scene)
        _results(bench)


def _one_engine(bench: Bench, scene: Scene) -> None:
    """Draw the way to a search by one engine, from what is looked at."""
    with st.expander("Search on with one engine"):
        there = engines()
        name = st.segmented_control("Engine", list(there), default="screens", required=True, format_func=there.get, key="bench_engine")
        kept = False
        if name == "pysr":
            st.caption("It starts from the formula that is shown, if every curve in it has a name.")
            kept = st.checkbox("Look only for the pieces that the structure of this network has", key="bench_structure", disabled=scene.state is None)
        if "pysr" not in there:
            st.caption(f"PySR, which searches in Julia, is not set up here. {COST}")
            st.button("Set up PySR", key="bench_set_up_pysr", icon=":material/download:", on_click=_set_up)
        st.button("Search", key="bench_search", icon=":material/search:", on_click=lambda: _search(bench, name, kept))


def _search(bench: Bench, name: str, keep_structure: bool) -> None:
    bench.start("discovery.search", engine=name, time_budget=_budget(), keep_structure=keep_structure)


def _set_up() -> None:
    st.session_state["bench_law_open"] = False  # it would lie over the dialog
    st.session_state["bench_machine"] = True


def _results(bench: Bench) -> None:
    key = f"bench_hall_{bench.memory.files}"  # a new one for each file, so that the last is not shown any more
    st.file_uploader("Open formulas that PySR found (its hall_of_fame.csv)", type=["csv", "bak"], key=key, max_upload_size=10,
                     on_change=lambda: _read(bench, key))  # fmt: skip


def _read(bench: Bench, key: str) -> None:
    file = st.session_state.get(key)
    if file is not None:
        bench.open_results(file.getvalue())


def _whole(bench: Bench, scene: Scene) -> None:
    locked = scene.locked
    if locked:
        edges = "One edge is locked" if locked == 1 else f"{locked} edges are locked"
        st.markdown(f"**Search within this network**: {edges}; the others are pruned and named. Unlock them to search from scratch.")
    else:
        st.markdown("**Search for the law**: whole formulas first, then networks of several shapes, fitted, pruned and named. Every formula found is kept.")
    st.segmented_control("At most", list(BUDGETS), default="1 min", required=True, key="bench_budget", on_change="ignore", persist_state="session")
    st.pills("Functions it may use; sums, products and powers it always may", FUNCTIONS, selection_mode="multi", default=FUNCTIONS,
             key="bench_functions", on_change="ignore", persist_state="session")  # fmt: skip
    st.select_slider("Longest formula, in nodes", LENGTHS, value=ANY, key="bench_longest", on_change="ignore", persist_state="session")
    if not locked:
        _known(bench)
    st.button("Find the law", key="bench_auto", type="primary", icon=":material/auto_awesome:", on_click=lambda: _start(bench, known=not locked))


def _known(bench: Bench) -> None:
    st.text_input("A part of the law that is known, with ? for the rest", placeholder=f"such as  3*{_first_column(bench)} + ?", key="bench_known",
                  on_change="ignore", persist_state="session")  # fmt: skip


def _start(bench: Bench, *, known: bool) -> None:
    chosen = st.session_state
    longest = chosen.get("bench_longest", ANY)
    bench.start(
        "discovery.auto",
        time_budget=_budget(),
        functions=allowed(chosen.get("bench_functions", FUNCTIONS)),
        max_complexity=None if longest == ANY else longest,
        known=(chosen.get("bench_known") or "").strip() or None if known else None,
    )


def _budget() -> float:
    return BUDGETS[st.session_state.get("bench_budget") or "1 min"]


def _first_column(bench: Bench) -> str:
    return bench.columns[0] if bench.columns else "x"


def allowed(chosen: object) -> list[str] | None:
    """Return the functions of a search by the names that formulas call them; None where nothing is forbidden.

    >>> allowed(["exp", "sin"]), allowed(FUNCTIONS) is None
    (['exp', 'sin', 'expm1'], True)
    """
    names = [name for name in FUNCTIONS if name in tuple(chosen or ())]
    if len(names) == len(FUNCTIONS):
        return None
    return [*names, *(more for name in names for more in ALONG.get(name, ()))]
