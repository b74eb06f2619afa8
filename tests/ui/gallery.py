"""A page with both components and the fake engine behind them: `?case=deep`. Run by tests/ui/browser."""

import json

import streamlit as st

from tests.ui import fake_engine
from workbench.ui.canvas import Action, inspector, network, parse_actions
from workbench.ui.pages import bench

st.set_page_config(page_title="Canvas gallery", layout="wide")
st.html(bench.SHEET)
memory = st.session_state
case = st.query_params.get("case", "trees")
if memory.get("case") != case:
    memory.case = case
    memory.drawing = fake_engine.DRAWINGS[case]()
    memory.selected = st.query_params.get("edge")
    memory.revision = 0
    memory.log = []
    memory.done = {}

NEW_STATE = {"snap": "snapped", "prune": "pruned", "lock": "locked", "unlock": "spline", "release": "spline"}


def act(key: str) -> None:
    for action in parse_actions(memory[key].get("action"), memory.done.get(key, 0)):
        memory.done[key] = action.order
        perform(action)


def perform(action: Action) -> None:
    memory.revision += 1
    memory.log.append([action.operation, action.edge, action.form, action.text, dict(action.parameters)])
    if action.operation == "close":
        memory.selected = None
    for edge in memory.drawing["edges"]:
        address = (edge["layer"], edge["source"], edge["target"])
        if address == action.edge and action.operation in NEW_STATE:
            edge["state"] = NEW_STATE[action.operation]
            edge["form"] = "sin(3.00x)" if action.operation == "snap" else None


def select() -> None:
    memory.selected = memory.net.get("selected")


@st.fragment
def workbench() -> None:
    left, right = st.columns([7, 4])
    edges = {edge["id"]: edge for edge in memory.drawing["edges"]}
    with left:
        network(
            "net",
            memory.drawing
            | {"name": case, "revision": memory.revision, "selected": memory.selected, "height": 560,
               "hints": fake_engine.HINTS, "busy": [], "streams": st.query_params.get_all("stream"),
               "formula": {"place": "bench_latex", "parts": fake_engine.PARTS}},
            on_action=lambda: act("net"), on_select=select, on_news=lambda: None, on_stream_lost=lambda: None,
        )  # fmt: skip
    with right:
        if memory.selected in edges:
            inspector(
                "insp",
                fake_engine.inspected(edges[memory.selected]) | {"revision": memory.revision, "height": 560},
                on_action=lambda: act("insp"),
            )
    with st.container(key="bench_latex"):
        st.latex(fake_engine.LATEX)
    st.code(json.dumps(memory.log), language="json")


workbench()
