"""The canvas: Streamlit components of our own, the drawn network, the inspector of one curve, the list of formulas, the functions of a transformer,
attention.

All are plain JavaScript modules under `frontend/`, served from there (a strict content policy allows no inline code)
and given one JSON payload per run. They never fetch anything but the event stream of a running fit. All state that
matters comes from the payload; zoom, hovering and the chosen view stay in the browser.

Payload of `network`, the *drawing JSON* that `figures.drawing` makes in the worker and the store keeps with each state::

    {"layers": [{"nodes": [{"id": 0, "label": "Girth", "kind": "input" | "sum" | "product" | "output",
                            "unit": "in" | null, "factors": [0]}]}],     layers[0] inputs ... layers[-1] outputs;
                                                                         a node with several factors is a product
     "edges": [{"id": "0.0.0", "layer": 0, "source": 0, "target": 0, "node": 0, "label": "Girth → h0",
                "importance": 0.86,                                      a share in [0, 1]
                "state": "spline" | "rational" | "snapped" | "locked" | "pruned",
                "x": [low, high], "y": [64 numbers in [0, 1000] or null], "range": [ymin, ymax],
                "form": "sin(3.01x)" | null}]}

to which the page adds what belongs to the moment::

    {"name": "trees"          file name of the SVG download
     "revision": 7            changes with every answer to an action, also a refused one: optimistic marks end then
     "selected": "0.0.0" | null,   "scale": "shared" | "own",   "height": 520,
     "busy": ["0.0.0"]        edges a job is working on
     "hints": [str, str, str] what to do first, shown while there are no edges
     "streams": ["/api/jobs/ID/events?after=3", ...]                     jobs to follow
     "ahead": ["static/js/..."]                                          parts of Streamlit to load when nothing else is to do
     "formula": {"place": "bench_latex",   key of the container in which the page sets the formula, and its terms there:
                 "parts": [{"edges": ["0.0.0"], "own": ["0.0.0"]}]} | null   see workbench/worker/equations.py
     "job": {"stream": "/api/jobs/ID/events", "title": "Fitting", "status": "queued" | "running" | "paused", "fraction": 0.4,
             "message": "10 intervals", "errors": [0.5, 0.2], "iterations": 37} | null}      the long one; errors told up to the `after` of its stream

A stream carries the events of a job (`workbench.jobs.Event`). An event whose payload has `edges` is a frame and is drawn:
`{"step": 12, "rmse": 0.02, "iterations": 40, "layers": [...], "edges": {"0.0.0": {...}}}`, layers and edges as above; ten a second
are plenty. A frame of another network than the one drawn takes its place. Every other payload, a job that comes to rest or goes on, and
the end of a stream are told to Python (`on_news`), so that nobody has to ask.

Payload of `inspector`, made in the worker per edge (everything but the last three lines)::

    {"edge": "0.0.0", "label": "Girth → h0", "state": "spline" | ..., "importance": 0.86,
     "x": [...], "y": [...]   the learned curve, at most 200 points,     "range": [lo, hi]   where the data lie in x
     "x_label": "Girth (in)", "points": [[x, y], ...]                    at most 300 rows: x and y + partial residual
     "current": "sin" | null  the form the edge is snapped to,           "stability": 0.93 | null
     "constants": [{"name": "a", "value": 3.0, "low": 2.9, "high": 3.1}]        95 % intervals of the current form
     "candidates": [{"name": "sin", "title": "sine", "text": "0.98·sin(3.01x)",
                     "formula": "c*sin(a*x+b)", "parameters": {"c": 0.98, "a": 3.01, "b": 0.0}, "offset": 0.12,
                     "complexity": 6, "validation_rmse": 0.0193, "delta_r2": -0.0001, "r2": 0.9998,
                     "y": [...]   on the same x, offset included: at the height of the curve,
                     "tie": true, "refitted": true, "stability": 0.93 | null}]          best first
     "beyond": {"x": [...], "forms": [{"name": "sin", "title": "sine", "y": [...]}]}    the tied ones; [] when none
     "live": false            a fit goes on: the curve follows its frames, there are no forms yet, and what is asked for waits
     "revision": 7, "busy": false, "height": 520,
     "searching": "operon: looking ..." | null                           what a deeper search does, while it does
     "message": "one plain sentence" | null}                             why the last request was refused

The inspector of an activation function says besides: `chips`, words about it in place of the importance; `density`, how often it received what;
`text`, its formula; `moves`, the operations there are; `score`, "accuracy" or "R²", what `delta_r2` is a change of.

Payload of `functions`: `places` and `functions` as workbench/figures/functions.py describes them, and of the moment `revision`, `selected`,
`height`, `busy`, `streams`, `ahead` and `job` as above, with `measure` for the name of the error. A frame has `functions` in place of `edges`.
Payload of `attention`: what workbench/worker/kat_inspection.py says of a row, `inputs` (tokens and where they lie), `height`, `waiting`, `streams`.

Payload of `laws`, each formula as the worker told it (worker/lines.py)::

    {"laws": [{"state": 7, "text": "0.0026*Girth**2*Height", "latex": "...", "copy": {"text": ..., "python": ..., "latex": ...},
               "complexity": 7, "r2": 0.97, "share": 0.16, "rmse": 2.6 | null, "unit": "ft^3", "origin": "screens",
               "stability": 0.95 | null, "fits_units": true | null, "symbolic": true,
               "constants": [{"value": 0.0026, "low": 0.0025, "high": 0.0027, "unit": "ft/in" | null}],
               "front": true, "picked": false}]                               simplest first
     "here": 7 | null         the one that is looked at,                      "searching": false
     "verdict": "law" | "approximation" | "none" | null,  "reasons": ["It is exact: ..."]      of the last search
     "columns": [{"name": "Girth", "symbol": "Girth"}], "target": "Volume"    for the field in which one is typed
     "comparison": {"text": "...", "other": "...", "relation": "...", "curve": {"label", "x", "difference"} | null} | null
     "can_extend": true, "busy": "Comparing …" | null, "revision": 7, "height": 520, "message": "one plain sentence" | null}

`formula` is text in our grammar with the names of `parameters` and `x`; the browser evaluates it for the sliders. Where
it is missing the form has no sliders. Numbers must be finite or null.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

from workbench.ui.canvas.ahead import parts
from workbench.ui.canvas.events import Action, Edge, edge_id, parse_actions, parse_edge

__all__ = [
    "Action", "Edge", "NetworkEvents", "attention", "edge_id", "functions", "inspector", "laws", "network", "parse_actions", "parse_edge",
]  # fmt: skip

PACKAGE = Path(__file__).parents[2]
PROJECT = "kan-workbench"
MOUNT = '<div class="mount" style="visibility: hidden"></div>'  # shown by the style sheet: never a flash without it
Json = Mapping[str, Any]
Callback = Callable[[], None]


@dataclass(frozen=True)
class NetworkEvents:
    """What the network canvas says in one run: the selected edge and the stream it lost, if any."""

    selected: str | None
    lost_stream: str | None


def network(
    key: str, data: Json, *, on_action: Callback, on_select: Callback, on_news: Callback, on_stream_lost: Callback
) -> NetworkEvents:
    """Draw a network and return what is selected; read actions with `parse_actions(st.session_state[key].action)`."""
    return _drawing("network", key, data, on_action, on_select, on_news, on_stream_lost)


def inspector(key: str, data: Json, *, on_action: Callback) -> None:
    """Draw the inspector of one edge; read actions with `parse_actions(st.session_state[key].action)`."""
    _component("inspector")(key=key, data=dict(data), on_action_change=on_action)


def functions(key: str, data: Json, *, on_action: Callback, on_select: Callback, on_news: Callback, on_stream_lost: Callback) -> NetworkEvents:
    """Draw the activation functions of a transformer and return which is selected; actions are read as those of a network."""
    return _drawing("functions", key, data, on_action, on_select, on_news, on_stream_lost)


def attention(key: str, data: Json, *, on_row: Callback, on_news: Callback) -> None:
    """Draw what attention heads do on one row; the row that a person picks is `st.session_state[key].row`."""
    _component("attention")(key=key, data=dict(data), default={"row": data.get("row")}, on_row_change=on_row, on_news_change=on_news)


def laws(key: str, data: Json, *, on_action: Callback) -> None:
    """Draw the list of formulas; read actions with `parse_actions(st.session_state[key].action)`."""
    _component("laws")(key=key, data=dict(data), on_action_change=on_action)


def _drawing(
    name: str, key: str, data: Json, on_action: Callback, on_select: Callback, on_news: Callback, on_stream_lost: Callback
) -> NetworkEvents:
    result = _component(name)(
        key=key,
        data={**data, "ahead": list(parts())},
        default={"selected": data.get("selected"), "stream": None},
        on_selected_change=on_select,
        on_stream_change=on_stream_lost,
        on_news_change=on_news,
        on_action_change=on_action,
    )
    return NetworkEvents(selected=result.get("selected"), lost_stream=result.get("stream"))


def _component(name: str) -> Callable[..., Any]:
    """Return the mounting command of one of our components.

    Streamlit finds packaged components by scanning what is installed, and misses us in a checkout or an editable
    install, whose import name differs from the project's. Then we register the same manifest ourselves.
    """
    manager = get_bidi_component_manager()
    full_name = f"{PROJECT}.{name}"
    if manager.get_component_asset_root(full_name) is None:
        manager.register_from_manifest(_manifest(), PACKAGE)
    return st.components.v2.component(full_name, html=MOUNT, css=f"{name}.css", js=f"{name}.js")


def _manifest() -> ComponentManifest:
    described = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))
    components = described["tool"]["streamlit"]["component"]["components"]
    return ComponentManifest(
        name=described["project"]["name"],
        version="0",
        components=[ComponentConfig.from_dict(component) for component in components],
    )
