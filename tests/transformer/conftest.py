"""A small task that is learned in a second: which half of a 4 x 4 image is the bright one, and how bright is it?"""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb

SETTINGS = {"width": 16, "depth": 1, "n_heads": 2, "n_groups": 2, "epochs": 30, "jitter": 0.0, "random_state": 1}


def table(task: str, n_rows: int = 260) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    images = generator.normal(0, 0.3, (n_rows, 4, 4))
    right, bright = generator.integers(0, 2, n_rows), generator.uniform(1, 3, n_rows)
    for row, (half, more) in enumerate(zip(right, bright, strict=True)):
        images[row, :, 2 * half : 2 * half + 2] += more
    pixels = {f"pixel_{r}_{c}": images[:, r, c] for r in range(4) for c in range(4)}
    side = np.where(right == 0, "left", "right")
    return {**pixels, "y": side if task == "classification" else 100 + 10 * bright}


@pytest.fixture(scope="session")
def sides() -> wb.Dataset:
    return wb.Dataset.from_table(table("classification"), "y", task="classification")


@pytest.fixture(scope="session")
def trained(sides: wb.Dataset) -> wb.Transformer:
    return wb.Transformer.fit(sides, **SETTINGS)
