"""Networks and edges with known curves, as the worker would describe them: what the canvas is tested with.

Nothing here is fitted. Curves are written down, so that a test knows what must appear on the screen.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Curve = Callable[[float], float]
POINTS = 64

CURVES: dict[str, Curve] = {
    "sin": lambda x: math.sin(3 * x),
    "square": lambda x: x * x,
    "exp": lambda x: 0.5 * math.exp(x),
    "line": lambda x: 0.7 * x,
    "tanh": lambda x: math.tanh(2 * x),
    "gauss": lambda x: math.exp(-4 * x * x),
    "flat": lambda x: 0.03 * math.sin(9 * x),
    "abs": abs,
    "inverse": lambda x: 0.4 / (1.2 + x),
}


def node(identity: int, label: str, kind: str, unit: str | None = None, factors: list[int] | None = None) -> Json:
    return {"id": identity, "label": label, "kind": kind, "unit": unit, "factors": factors or [identity]}


def edge(address: tuple[int, int, int], label: str, curve: str, **more: Any) -> Json:
    layer, source, target = address
    xs = [-1 + 2 * k / (POINTS - 1) for k in range(POINTS)]
    ys = [CURVES[curve](x) for x in xs]
    low, high = min(ys), max(ys)
    described = {
        "id": f"{layer}.{source}.{target}", "layer": layer, "source": source, "target": target, "node": target,
        "label": label, "importance": min(1.0, (high - low) / 2.4), "state": "spline", "form": None, "x": [-1.0, 1.0],
        "y": [round(1000 * (y - low) / (high - low or 1), 1) for y in ys], "range": [low, high],
    }  # fmt: skip
    return described | more


def trees() -> Json:
    """Cherry trees: two inputs, one output, one edge snapped."""
    return {
        "layers": [
            {"nodes": [node(0, "Girth", "input", "in"), node(1, "Height", "input", "ft")]},
            {"nodes": [node(0, "log Volume", "output", "cubic ft")]},
        ],
        "edges": [
            edge((0, 0, 0), "Girth → Volume", "tanh", state="snapped", form="1.98·log(x)", importance=0.86),
            edge((0, 1, 0), "Height → Volume", "exp", importance=0.31),
        ],
    }


def deep() -> Json:
    """Four inputs, three hidden nodes of which one is a product, one output: every state occurs."""
    inputs = [node(0, "q₁", "input", "m"), node(1, "q₂", "input", "m"), node(2, "temperature of the outer wall", "input", "K"),
              node(3, "θ", "input")]  # fmt: skip
    hidden = [node(0, "h₀", "sum"), node(1, "h₁", "product", factors=[1, 2]), node(3, "h₃", "sum")]
    curves = iter(["sin", "square", "flat", "line", "tanh", "exp", "flat", "gauss", "line", "inverse", "sin", "square"] * 2)
    states = {
        (0, 0): {"state": "snapped", "form": "sin(3.01x)"},
        (2, 0): {"state": "pruned"},
        (1, 1): {"state": "locked", "form": "x²"},
        (3, 2): {"state": "pruned"},
        (3, 0): {"state": "pruned"},
        (0, 3): {"state": "snapped", "form": "0.98·x"},
    }
    edges = []
    for slot, owner in [(0, 0), (1, 1), (2, 1), (3, 3)]:
        for source in range(4):
            label = f"{inputs[source]['label']} → h{slot}"
            edges.append(
                edge((0, source, slot), label, next(curves), node=owner, **states.get((source, slot), {}))
            )
    edges += [
        edge((1, 0, 0), "h₀ → F", "sin", importance=0.9),
        edge((1, 1, 0), "h₁ → F", "line", importance=0.5, state="snapped", form="0.7x"),
        edge((1, 3, 0), "h₃ → F", "exp", importance=0.2),
    ]
    return {
        "layers": [{"nodes": inputs}, {"nodes": hidden}, {"nodes": [node(0, "F", "output", "N")]}],
        "edges": edges,
    }


def wide(sizes: tuple[int, ...] = (20, 15, 6, 2)) -> Json:
    """A network of several hundred edges, the same ones on every call."""
    generator = random.Random(7)
    names = list(CURVES)
    layers = []
    for depth, count in enumerate(sizes):
        kind = "input" if depth == 0 else "output" if depth == len(sizes) - 1 else "sum"
        letter = {"input": "x", "output": "y"}.get(kind, "h")
        layers.append({"nodes": [node(k, f"{letter}{k + 1}", kind) for k in range(count)]})
    edges = []
    for layer in range(len(sizes) - 1):
        for target in range(sizes[layer + 1]):
            for source in range(sizes[layer]):
                state = generator.choices(["spline", "snapped", "locked", "pruned"], [6, 2, 1, 2])[0]
                edges.append(
                    edge((layer, source, target), f"{source + 1} → {target + 1}", generator.choice(names),
                         importance=round(generator.random() ** 2, 3), state=state)
                )  # fmt: skip
    return {"layers": layers, "edges": edges}


def hostile() -> Json:
    """A column whose name is markup."""
    name = "<img src=x onerror=alert(1)>"
    return {
        "layers": [{"nodes": [node(0, name, "input", "<b>m</b>")]}, {"nodes": [node(0, "y", "output")]}],
        "edges": [edge((0, 0, 0), f"{name} → y", "sin")],
    }


def empty() -> Json:
    return {"layers": [], "edges": []}


DRAWINGS: dict[str, Callable[[], Json]] = {"trees": trees, "deep": deep, "wide": wide, "hostile": hostile, "empty": empty}
# Two targets, a term inside a term, and one that two edges share; the colours number the parts.
LATEX = r"""\begin{aligned}
y_{1} &= \textcolor{#f00001}{{e^{\textcolor{#f00002}{{\frac{\mathrm{Girth}}{2}}} + 1}}} - \textcolor{#f00003}{{\sqrt{3\,\mathrm{Height}}}} \\
y_{2} &= \textcolor{#f00004}{{0.5\,\mathrm{Height}}}
\end{aligned}"""
PARTS = [
    {"edges": ["0.0.0", "0.1.0"], "own": ["0.0.0", "0.1.0"]}, {"edges": ["0.0.0"], "own": ["0.0.0"]},
    {"edges": ["0.1.0"], "own": ["0.1.0"]}, {"edges": ["0.1.0"], "own": ["0.1.0"]},
]  # fmt: skip
HINTS = [
    "Choose target and inputs on the Data page.",
    "Fit: the network learns one curve for every edge.",
    "Click a curve, and give it its name.",
]


def _candidate(name: str, title: str, formula: str, values: dict[str, float], curve: Curve, **more: Any) -> Json:
    xs = [-1 + 2 * k / 99 for k in range(100)]
    return {
        "name": name, "title": title, "formula": formula, "parameters": values, "offset": 0.0,
        "y": [curve(x) for x in xs], "tie": False, "refitted": True, "stability": None,
    } | more  # fmt: skip


def inspected(described: Json) -> Json:
    """What the worker says of the edge that learned sin(3x): three forms tie, one is still a preview."""
    generator = random.Random(3)
    xs = [-1 + 2 * k / 99 for k in range(100)]
    points = [
        [round(x, 4), round(math.sin(3 * x) + generator.gauss(0, 0.08), 4)]
        for x in (generator.betavariate(2, 2) * 2 - 1 for _ in range(180))
    ]
    beyond = [-2 + 4 * k / 159 for k in range(160)]
    sine = _candidate("sin", "sine", "c*sin(a*x+b)", {"c": 1.0, "a": 3.0, "b": 0.0}, lambda x: math.sin(3 * x),
                      text="1.00·sin(3.00x)", complexity=6, validation_rmse=0.0193, delta_r2=-0.0001, r2=0.9998,
                      tie=True, stability=0.93)  # fmt: skip
    cubic = _candidate("cubic", "cubic", "c*(a*x)**3 + 2.8*x", {"c": -1.0, "a": 1.36},
                       lambda x: 2.8 * x - 2.6 * x**3 + 0.02, text="−2.60·x³ + 2.80·x", complexity=9,
                       validation_rmse=0.0196, delta_r2=-0.0002, r2=0.9991, tie=True, stability=0.05)  # fmt: skip
    tanh = _candidate("tanh", "hyperbolic tangent", "c*tanh(a*x+b)", {"c": 0.94, "a": 3.2, "b": 0.0},
                      lambda x: 0.94 * math.tanh(3.2 * x), text="0.94·tanh(3.20x)", complexity=6,
                      validation_rmse=0.0871, delta_r2=-0.0113, r2=0.9402)  # fmt: skip
    line = _candidate("line", "line", "c*x", {"c": 0.8}, lambda x: 0.8 * x, text="0.80·x", complexity=3,
                      validation_rmse=0.2914, delta_r2=-0.1204, r2=0.71)  # fmt: skip
    rational = _candidate("rational", "x / (1 + x²)", "c*a*x/(1+(a*x)**2)", {"c": 2.0, "a": 1.9},
                          lambda x: 2 * 1.9 * x / (1 + (1.9 * x) ** 2), text="2.00·1.90x/(1+(1.90x)²)",
                          complexity=11, validation_rmse=0.041, delta_r2=None, r2=0.9731, refitted=False)  # fmt: skip
    gauss = _candidate("gauss", "Gaussian", "c*exp(-(a*x+b)**2)", {"c": 1.9, "a": 1.1, "b": -0.8},
                       lambda x: 1.9 * math.exp(-((1.1 * x - 0.8) ** 2)) - 0.9, offset=-0.9,
                       text="1.90·exp(−(1.10x−0.80)²)", complexity=9, validation_rmse=None, delta_r2=None,
                       r2=0.91, refitted=False)  # fmt: skip
    snapped = described["state"] == "snapped"
    return {
        "edge": described["id"], "label": described["label"], "state": described["state"],
        "importance": described["importance"], "stability": 0.93 if snapped else None,
        "x": xs, "y": [math.sin(3 * x) for x in xs], "x_label": described["label"].split(" → ")[0],
        "points": points, "range": [-1.0, 1.0], "current": "sin" if snapped else None,
        "constants": [{"name": "c", "value": 1.0, "low": 0.97, "high": 1.03},
                      {"name": "a", "value": 3.0, "low": 2.91, "high": 3.09},
                      {"name": "b", "value": 0.0, "low": -0.02, "high": 0.02}] if snapped else [],
        "candidates": [sine, cubic, tanh, line, rational, gauss],
        "beyond": {"x": beyond, "forms": [
            {"name": "sin", "title": "sine", "y": [math.sin(3 * x) for x in beyond]},
            {"name": "cubic", "title": "cubic", "y": [2.8 * x - 2.6 * x**3 if abs(x) < 1.35 else None for x in beyond]},
        ]},
    }  # fmt: skip
