"""Forward and backward of one spline layer in float32, against the efficient-kan formulation in the same process.

Both compute the same function (a test holds them together) and all gradients: inputs, coefficients, base weights. Each has the layout it is
made for: rows last for ours, rows first for theirs. Ours is timed twice: as the op that a program calls, arrays in and arrays out, and as a
torch function under autograd, whose own cost (some 50 us a pass) counts for a small layer. Theirs needs autograd for its gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.timing import Bench, Row, in_turn

GROUP = "spline_layer"
WHAT = "forward+backward of one spline layer {}->{}, 1000 rows, {}"
PEER = "efficient-kan formulation, torch float32"
LAYERS = ((2, 5, 10.0, 25.0), (8, 16, 8.0, 10.0), (64, 64, 3.5, 4.5))
N_ROWS, N_BASES = 1000, 8
SIDES = {"op": "the op", "autograd": "under torch autograd"}
PLAN = [Row(WHAT.format(*sizes, words), gate, stretch, peer=PEER) for *sizes, gate, stretch in LAYERS for words in SIDES.values()]


def rows(bench: Bench) -> list[Row]:
    """Two rows a layer: the op, and the same under autograd."""
    import torch

    torch.set_num_threads(1)
    made = []
    for n_in, n_out, *_ in LAYERS:
        taken = in_turn(sides(n_in, n_out), 2 * bench.rounds)
        for side in SIDES:
            made.append(replace(PLAN[len(made)], ours=taken[side], theirs=taken["peer"]))
            bench.say(f"{made[-1].what}: {made[-1].ratio:.1f}x")
    return made


def sides(n_in: int, n_out: int) -> dict[str, Callable[[], tuple]]:
    """Return one forward and backward pass of each side, as functions without arguments that return value and all gradients."""
    import torch

    from benchmarks.efficient_kan import EfficientKANLayer
    from workbench.ops import spline
    from workbench.ops.autograd import edge_spline

    generator = np.random.default_rng(0)
    x, upstream = generator.uniform(-1, 1, (n_in, N_ROWS)), generator.normal(size=(n_out, N_ROWS))
    coefficients, base = generator.normal(size=(N_BASES, n_out, n_in)), generator.normal(size=(n_out, n_in))
    domain = np.tile([-1.0, 1.0], (n_in, 1))
    arrays = [values.astype(np.float32) for values in (x, coefficients, base, domain, upstream)]
    given, c, w, limits, from_above = (torch.from_numpy(array.copy()) for array in arrays)
    peer = EfficientKANLayer(c, w)
    learned = [given.requires_grad_(), c.requires_grad_(), w.requires_grad_()]
    given_rows, from_above_rows = given.detach().T.contiguous().requires_grad_(), from_above.T.contiguous()

    def autograd() -> tuple:
        y = edge_spline(*learned, limits, engine="cpu")
        return y, *torch.autograd.grad(y, learned, from_above)

    def theirs() -> tuple:
        y = peer(given_rows)
        return y, *torch.autograd.grad(y, [given_rows, peer.spline_weight, peer.base_weight], from_above_rows)

    return {"op": lambda: (spline.forward(*arrays[:4]), *spline.backward(*arrays)), "autograd": autograd, "peer": theirs}
