"""Forward and backward of rational functions in float32 on a CPU, shared by groups of channels and on every edge, against eager torch.

Degrees (5, 4); groups in the form of the published KAT kernels, edges in the smooth one. All sides compute the same function (a test holds
them together) and all gradients. Ours is timed twice: as the op, arrays in and arrays out, and as a torch function under autograd. A layer of
edges has two peers: in our layout, rows last, where torch is at its fastest, and with rows first, as torch programs hold them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.timing import Bench, Row, in_turn

GROUP = "rational_layers"
PEER, NATURAL = "Horner's rule in eager torch, float32", "Horner's rule in eager torch, float32, rows first"
SIDES = {"op": "the op", "autograd": "under torch autograd"}
# side of ours, side of the peer
PAIRS = {"group": (("op", "peer"), ("autograd", "peer")), "edge": (("op", "peer"), ("autograd", "peer"), ("autograd", "natural"))}
# shapes of x, numerator and denominator, gate, stretch
GROUPS = (((64, 197, 384), (8, 6), (8, 4), 8.0, 15.0), ((1000, 1, 40), (8, 6), (8, 4), 3.0, 5.0))
LAYERS = (((2, 1000), (6, 5, 2), (4, 5, 2), 6.0, 10.0), ((8, 1000), (6, 16, 8), (4, 16, 8), 5.0, 8.0))


def _rows_of(op: str, what: str, gate: float, stretch: float) -> list[Row]:
    peers = {"peer": PEER, "natural": NATURAL}
    return [Row(f"forward+backward of {what}, {SIDES[side]}", gate, stretch, peer=peers[peer]) for side, peer in PAIRS[op]]


PLAN = [
    *(row for x, _, _, *limits in GROUPS for row in _rows_of("group", f"a group rational {x}, 8 groups", *limits)),
    *(row for x, a, _, *limits in LAYERS for row in _rows_of("edge", f"a per-edge rational layer {x[0]}->{a[1]}, 1000 rows", *limits)),
]


def rows(bench: Bench) -> list[Row]:
    """The op, and the same under autograd, of every shape."""
    import torch

    torch.set_num_threads(1)
    made = []
    for op, cases in (("group", GROUPS), ("edge", LAYERS)):
        for *shapes, _, _ in cases:
            taken = in_turn(sides(op, *shapes), 2 * bench.rounds)
            for side, peer in PAIRS[op]:
                made.append(replace(PLAN[len(made)], ours=taken[side], theirs=taken[peer]))
                bench.say(f"{made[-1].what}, {made[-1].peer}: {made[-1].ratio:.1f}x")
    return made


def sides(op: str, *shapes: tuple[int, ...]) -> dict[str, Callable[[], tuple]]:
    """Return one forward and backward pass of each side, as functions without arguments that return value and all gradients."""
    import torch

    from benchmarks import horner
    from workbench.ops import autograd, rational

    generator = np.random.default_rng(0)
    x, a, b = (generator.normal(size=shape).astype(np.float32) for shape in shapes)
    upstream = generator.normal(size=x.shape if op == "group" else (a.shape[1], x.shape[1])).astype(np.float32)
    form = "sum_abs" if op == "group" else "square"
    learned, from_above = [torch.from_numpy(array.copy()).requires_grad_() for array in (x, a, b)], torch.from_numpy(upstream)
    functions = {"group": (autograd.group_rational, horner.group_rational), "edge": (autograd.edge_rational, horner.edge_rational)}
    mine, peer = functions[op]

    def ours() -> tuple:
        if op == "edge":
            return rational.edge_forward(x, a, b, form), *rational.edge_backward(x, a, b, form, upstream)
        flat, above = x.reshape(-1, x.shape[-1]), upstream.reshape(-1, x.shape[-1])
        y, (into_x, *into) = rational.group_forward(flat, a, b, form), rational.group_backward(flat, a, b, form, above)
        return y.reshape(x.shape), into_x.reshape(x.shape), *into

    def under_autograd() -> tuple:
        y = mine(*learned, form=form, engine="cpu")
        return y, *torch.autograd.grad(y, learned, from_above)

    def theirs() -> tuple:
        y = peer(*learned)
        return y, *torch.autograd.grad(y, learned, from_above)

    if op == "group":
        return {"op": ours, "autograd": under_autograd, "peer": theirs}
    turned = [tensor.detach().transpose(-1, -2).contiguous().requires_grad_() for tensor in learned]
    turned_above = from_above.T.contiguous()

    def with_rows_first() -> tuple:
        y = horner.edge_rational_of_rows(*turned)
        return y, *torch.autograd.grad(y, turned, turned_above)

    return {"op": ours, "autograd": under_autograd, "peer": theirs, "natural": with_rows_first}
