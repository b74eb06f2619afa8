"""The sample task of transformers: scikit-learn's digits, learned and then read.

A KAT is trained on three quarters of the 1797 images of 8 x 8 pixels, then every function of its activations is named by the workbench itself, judged on
a fifth of those rows. The last quarter is looked at once, by the certificate. Seconds are those of one processor.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, replace

from benchmarks.timing import Bench, Row

GROUP = "digits"
SEEDS = (0, 1, 2)
ACCURACY, LOST, COMPLEXITY = 0.97, 0.01, 12
PLAN = [Row(f"a KAT on the digits: >= {ACCURACY:.0%} held out, then every activation named for <= {100 * LOST:g} point; training, CPU seconds", 60.0, 20.0)]


@dataclass(frozen=True)
class Outcome:
    """What came of one seed.

    Parameters
    ----------
    opened, named : accuracy on the held-out rows before and after every function got its name
    training, naming : CPU seconds
    functions : (address, form, complexity, channels, formula) of every activation function
    certificate : in words
    """

    opened: float
    named: float
    training: float
    naming: float
    functions: tuple[tuple[str, str, int, int, str], ...]
    certificate: str


def outcome(seed: int) -> Outcome:
    """Train, name and certify."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    import workbench as wb

    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=seed, stratify=y)
    began = time.process_time()
    model = wb.KATClassifier("patches", input_shape=(8, 8), jitter=1.0, random_state=seed).fit(X_train, y_train)
    trained = time.process_time()
    reading = model.read(X_train, y_train, random_state=seed).snap_all(max_complexity=COMPLEXITY)
    named = time.process_time()
    proof = reading.certificate({"test": reading.samples(X_test.reshape(-1, 1, 8, 8), y_test)})
    both = proof.parts["test"]
    functions = tuple(
        (f"{path}[{group}]", function.name.form.name, function.name.form.complexity, function.n_channels, function.text)
        for function in reading.functions
        for path, group in [function.address]
        if function.name is not None
    )
    assert len(functions) == proof.n_functions
    return Outcome(both.score_opened, both.score_snapped, trained - began, named - trained, functions, proof.text)


def rows(bench: Bench) -> list[Row]:
    """One row; what the names are is printed, a table a seed."""
    outcomes = [outcome(seed) for seed in SEEDS]
    for seed, one in zip(SEEDS, outcomes, strict=True):
        bench.say(f"seed {seed}: {one.certificate}")
        for address, form, complexity, channels, text in one.functions:
            bench.say(f"    {address:24} {form:16} complexity {complexity}, {channels} channels: {text}")
    accuracy, lost = statistics.median(one.opened for one in outcomes), statistics.median(one.opened - one.named for one in outcomes)
    note = (
        f"accuracy {', '.join(f'{one.opened:.2%} -> {one.named:.2%}' for one in outcomes)} for seeds {', '.join(map(str, SEEDS))}; naming all "
        f"{len(outcomes[0].functions)} functions took {statistics.median(one.naming for one in outcomes):.0f} s; heaviest form "
        f"{max(complexity for one in outcomes for _, _, complexity, *_ in one.functions)}"
    )
    return [replace(PLAN[0], ours=tuple(one.training for one in outcomes), note=note, never=accuracy < ACCURACY or lost > LOST)]
