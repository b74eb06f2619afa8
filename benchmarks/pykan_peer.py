"""pykan's side, run by the Python that has it: one JSON request a line on stdin, one JSON answer a line on stdout.

This file imports nothing of ours. Requests: {"do": "fit", "seed": 0} and {"do": "edge"}; both time pykan's own public calls, after a
call of the same kind that is not counted. What pykan prints goes to stderr.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import Any

import numpy as np
import torch
from kan import KAN

# pykan's library without its aliases (x^0.5, 1/x^0.5), the zero function and 1/x^5: 25 forms
FORMS = "x x^2 x^3 x^4 x^5 1/x 1/x^2 1/x^3 1/x^4 sqrt x^1.5 1/sqrt(x) exp log abs sin cos tan tanh sgn arcsin arccos arctan arctanh gaussian".split()


def hello(x: np.ndarray) -> np.ndarray:
    """exp(sin(pi x) + y^2) for rows (n, 2)."""
    return np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2)


def dataset(seed: int) -> dict[str, torch.Tensor]:
    """Return the same 1000 training and 1000 test rows that our side takes."""
    generator = np.random.default_rng(seed)
    train, test = generator.uniform(-1, 1, (2, 1000, 2))
    parts = {"train_input": train, "train_label": hello(train), "test_input": test, "test_label": hello(test)}
    return {name: torch.tensor(values, dtype=torch.float32) for name, values in parts.items()}


def fit(seed: int, steps: int = 80) -> dict[str, Any]:
    """Time `steps` steps of L-BFGS in speed mode on [2, 5, 1] with 5 intervals."""
    rows = dataset(seed)
    made = [KAN(width=[2, 5, 1], grid=5, k=3, seed=seed, auto_save=False).speed() for _ in range(2)]
    made[0].fit(rows, opt="LBFGS", steps=1)
    began = time.perf_counter()
    result = made[1].fit(rows, opt="LBFGS", steps=steps)
    return {"seconds": time.perf_counter() - began, "rmse": float(result["test_loss"][-1])}


def edge() -> dict[str, Any]:
    """Time suggest_symbolic on the first edge of a fitted network; return its 1000 points too."""
    rows = dataset(0)
    model = KAN(width=[2, 1, 1], grid=5, k=3, seed=1, auto_save=False)
    model.fit(rows, opt="LBFGS", steps=30)
    model(rows["train_input"])
    x, y = model.acts[0][:, 0], model.spline_postacts[0][:, 0, 0]
    points = {"x": x.tolist(), "y": y.tolist()}
    model.suggest_symbolic(0, 0, 0, lib=["sin"], verbose=False)
    began = time.perf_counter()
    best = model.suggest_symbolic(0, 0, 0, lib=FORMS, verbose=False)
    return {"seconds": time.perf_counter() - began, "best": str(best[0]), "r2": float(best[2]), **points}


def main() -> None:
    """Answer requests until stdin ends."""
    torch.set_num_threads(1)
    for line in sys.stdin:
        request = json.loads(line)
        with contextlib.redirect_stdout(sys.stderr):
            answer = fit(request["seed"], request.get("steps", 80)) if request["do"] == "fit" else edge()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
