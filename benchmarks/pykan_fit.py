"""exp(sin(pi x) + y^2) on [2, 5, 1], 5 intervals, 1000 rows: the time to the test error that pykan reaches in 80 steps."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.peer import PykanPeer
from benchmarks.timing import Bench, Row

GROUP = "pykan_fit"
WHAT = "exp(sin(pi x)+y^2), [2,5,1], 5 intervals, 1000 rows, seed {}: to the test RMSE of pykan's 80 steps"
PEER = "pykan 0.2.8, L-BFGS, speed()"
GATE, STRETCH = 100.0, 500.0
SEEDS = (0, 1, 2)
REPEATS = 9
_BLOCK = 4  # iterations between two looks at the ranges, as in training.fit
_PATIENCE = 60  # blocks after which a start counts as stuck


def rows(bench: Bench) -> list[Row]:
    """One row a seed."""
    if bench.pykan_python is None:
        return [Row(WHAT.format(seed), GATE, STRETCH, peer=PEER, note=bench.why_no_pykan) for seed in SEEDS]
    made = []
    with PykanPeer(bench.pykan_python) as peer:
        for seed in SEEDS:
            theirs = peer.ask(do="fit", seed=seed)
            runs = [time_to(theirs["rmse"], seed) for _ in range(REPEATS + 1)][1:]  # the first one reads the kernels from disk
            if any(run is None for run in runs):
                made.append(Row(WHAT.format(seed), GATE, STRETCH, peer=PEER, note=f"our start is stuck above {theirs['rmse']:.1e}"))
                continue
            reached = f"pykan reaches {theirs['rmse']:.2e}, we pass it at {runs[0][1]:.2e} after {runs[0][2]} iterations"
            ours = tuple(seconds for seconds, _, _ in runs)
            made.append(Row(WHAT.format(seed), GATE, STRETCH, ours, (theirs["seconds"],) * REPEATS, PEER, reached))
            bench.say(reached)
    return made


def time_to(rmse: float, seed: int) -> tuple[float, float, int] | None:
    """Fit from random constants until the test error is at most `rmse`: (seconds, test error, iterations), or None when stuck.

    Both looks at the ranges and looks at the test error are inside the time. One start, as pykan has.
    """
    from workbench.training import FitConfig, Problem, refit
    from workbench.training.fit import initial, settled

    generator = np.random.default_rng(seed)
    train, test = generator.uniform(-1, 1, (2, 1000, 2))
    problem = Problem(train.T, _hello(train)[None])
    began = time.perf_counter()
    network = initial(problem, FitConfig(hidden_layer_sizes=(5,), intervals=(5,)), np.random.default_rng(seed))
    damping = 1.0
    for block in range(1, _PATIENCE + 1):
        network, _ = refit(network, problem, _BLOCK, damping=damping)
        error = float(np.sqrt(np.mean((network(test)[:, 0] - _hello(test)) ** 2)))
        if error <= rmse:
            return time.perf_counter() - began, error, block * _BLOCK
        network, damping = settled(network, problem), 1e-2
    return None


def _hello(x: np.ndarray) -> np.ndarray:
    return np.exp(np.sin(np.pi * x[:, 0]) + x[:, 1] ** 2)
