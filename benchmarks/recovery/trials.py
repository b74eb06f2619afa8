"""What is put before the command line: a table, the words that go with it, and how the answer is judged. Three kinds: laws, pure noise, real samples."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import t as student

from benchmarks.recovery.identity import Judgement, judge, same_values
from benchmarks.recovery.laws import Columns, Law
from benchmarks.recovery.symbolic import Proof, proved
from workbench.exceptions import ExpressionError
from workbench.expression import Expression, evaluate, parse, value_and_gradient

SAMPLES = Path(__file__).parents[2] / "sample_data"
NOISE_TABLES = 20
JUDGED = 60  # formulas of a front that are looked at
STANDARD_ERRORS = 3.0  # how far a constant of a real law may lie from the fitted one


class Trial(Protocol):
    """One table to be explained."""

    id: str
    seed: int

    def arguments(self, folder: Path) -> list[str]:
        """Write the table into the folder; return the words of the command line that go with it."""

    def verdicts(self, answer: Mapping) -> dict:
        """Judge what `--json` held: the entries "truth", "picked" and "front" of the record."""


@dataclass(frozen=True)
class LawTrial:
    """A table drawn from a law that is known."""

    law: Law
    seed: int
    noise: float = 0.0
    n_rows: int | None = None

    @property
    def id(self) -> str:
        """The name of the law."""
        return self.law.id

    def arguments(self, folder: Path) -> list[str]:
        columns, y = self.law.table(self.seed, self.noise, self.n_rows)
        _write(folder / "table.csv", {**columns, self.law.target: y})
        return [str(folder / "table.csv"), "--target", self.law.target]

    def verdicts(self, answer: Mapping) -> dict:
        judgements = [(text, judge(self.law, text, answer.get("symbols"))) for text in _texts(answer)]
        positive = [name for name, (low, _) in self.law.box.items() if low >= 0]
        picked = judgements[0] if _picked(answer) else (None, Judgement(why="no formula was picked"))
        best = next((one for one in judgements if one[1].recovered), None)
        proofs = {text: self._proof(judgement, positive) for text, judgement in {picked, *filter(None, [best])} if text}
        return {
            "truth": str(self.law.expression),
            "picked": {**_figures(picked[1]), "formula": picked[0], "symbolic": proofs.get(picked[0], "no")},
            "front": {
                "size": len(judgements),
                **{name: any(getattr(judgement, name) for _, judgement in judgements) for name in ("fit", "numeric", "skeleton", "recovered")},
                "formula": best and best[0],
                "symbolic": proofs.get(best[0], "no") if best else "no",
            },
        }

    def _proof(self, judgement: Judgement, positive: Sequence[str]) -> Proof | str:
        """Ask for a proof where points have refuted nothing; where they have, the answer is no."""
        return proved(judgement.polished, self.law.expression, positive) if judgement.recovered else "no"


@dataclass(frozen=True)
class NoiseTrial:
    """A table whose target has nothing to do with its columns: the wanted verdict is "none"."""

    number: int
    seed: int = 0

    @property
    def id(self) -> str:
        """The name of the table."""
        return f"noise-{self.number:02d}"

    def arguments(self, folder: Path) -> list[str]:
        generator = np.random.default_rng([2, self.number, self.seed])
        n_rows, n_inputs = (30, 100, 300, 1000)[self.number % 4], 1 + self.number % 5
        inputs = {f"x{index}": generator.uniform(1, 5, n_rows) if index % 2 else generator.normal(size=n_rows) for index in range(1, n_inputs + 1)}
        draw = (generator.standard_normal, generator.standard_exponential, lambda n: generator.standard_t(3, n), generator.random)[self.number // 5]
        _write(folder / "table.csv", {**inputs, "y": 10 * (self.number % 3) + draw(n_rows)})
        return [str(folder / "table.csv"), "--target", "y"]

    def verdicts(self, answer: Mapping) -> dict:
        none = answer.get("verdict") == "none"
        front = {"size": len(answer.get("pareto", [])), "recovered": none}
        return {"truth": None, "picked": {"formula": _picked(answer), "recovered": none, "why": "" if none else "a law was seen in noise"}, "front": front}


@dataclass(frozen=True)
class SampleTrial:
    """A real table with its law: found when the formula is the law's skeleton with constants that the rows allow."""

    name: str
    group: str | None
    info: Mapping
    seed: int = 0

    @property
    def id(self) -> str:
        """The name of the sample, and of the group where one law has several sets of constants."""
        return self.name if self.group is None else f"{self.name}:{self.group}"

    def arguments(self, folder: Path) -> list[str]:
        _write(folder / "table.csv", self._columns())
        named = {name: unit for name, unit in self.info["units"].items() if "," not in unit}
        units = ["--units", ",".join(f"{name}={unit}" for name, unit in named.items())] if named else []
        return [str(folder / "table.csv"), "--target", self.info["target"], "--features", ",".join(self.info["features"]), *units]

    def verdicts(self, answer: Mapping) -> dict:
        why = {text: self.objection(text) for text in _texts(answer)}
        picked = _picked(answer)
        best = next((text for text in why if not why[text]), None)
        objection = why[picked] if picked else "no formula was picked"
        return {
            "truth": self.info["skeleton"],
            "picked": {"formula": picked, "recovered": not objection, "why": objection},
            "front": {"size": len(why), "recovered": best is not None, "formula": best},
        }

    def objection(self, text: str) -> str:
        """Say why a formula is not the law; empty when it is."""
        columns = self._inputs()
        constants = list(self.info["fits"][0]["constants"])
        skeleton = parse(self.info["skeleton"], symbols=[*columns, *constants])
        try:
            values = evaluate(parse(text, symbols=list(columns)), columns)
        except ExpressionError as error:
            return f"cannot be read: {error}"
        if not np.isfinite(values).all():
            return "no finite value somewhere in the range of the data"
        objections = [self._compared(skeleton, columns, values, fit) for fit in self.info["fits"] if fit["group"] == self.group]
        return "" if "" in objections else objections[0]

    def _compared(self, skeleton: Expression, columns: Columns, values: np.ndarray, fit: Mapping) -> str:
        """Read the constants that make the skeleton the formula, and compare them with those of the rows."""
        known = {name: entry["value"] for name, entry in fit["constants"].items()}
        found = _constants(skeleton, columns, values, known)
        if not same_values(evaluate(skeleton, {**columns, **found}), values).all():
            return "another formula"
        freedom = max(1, len(self._columns()[self.info["target"]]) - len(known))
        for name, entry in fit["constants"].items():
            allowed = STANDARD_ERRORS * entry["tolerance"] / student.ppf(0.995, freedom)
            if not abs(found[name] - entry["value"]) <= allowed:
                return f"{name} is {found[name]:.6g}; the rows say {entry['value']:.6g} +- {allowed:.2g}"
        return ""

    def _columns(self) -> dict[str, list[str]]:
        """Return the sample's columns as text, of the group only."""
        with (SAMPLES / f"{self.name}.csv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if self.group is None or row[self.info["group"]] == self.group]
        return {name: [row[name] for row in rows] for name in rows[0]}

    def _inputs(self) -> dict[str, np.ndarray]:
        """Return points all over the range of the data."""
        generator = np.random.default_rng(0)
        values = {name: np.array(self._columns()[name], dtype=float) for name in self.info["features"]}
        return {name: generator.uniform(column.min(), column.max(), 400) for name, column in values.items()}


def sample_trials(seed: int) -> list[SampleTrial]:
    """Return the ten real samples; Puromycin is one law with two sets of constants, so it is asked twice."""
    samples = json.loads((SAMPLES / "laws.json").read_text(encoding="utf-8"))["samples"]
    groups = {name: list(dict.fromkeys(fit["group"] for fit in info["fits"])) for name, info in samples.items()}
    return [SampleTrial(name, group, info, seed) for name, info in samples.items() for group in groups[name]]


def _constants(skeleton: Expression, columns: Columns, values: np.ndarray, start: Mapping[str, float]) -> dict[str, float]:
    names = list(start)
    spread = np.std(values) or 1.0

    def residual(constants: np.ndarray) -> np.ndarray:
        difference = (evaluate(skeleton, {**columns, **dict(zip(names, constants))}) - values) / spread
        return np.where(np.isfinite(difference), difference, 1e3)

    def jacobian(constants: np.ndarray) -> np.ndarray:
        _, gradient = value_and_gradient(skeleton, {**columns, **dict(zip(names, constants))}, names)
        return np.where(np.isfinite(gradient), gradient, 0.0).T / spread

    first = np.array(list(start.values()))
    answer = least_squares(residual, first, jacobian, x_scale=np.abs(first), xtol=1e-15, ftol=1e-15, gtol=1e-15)
    return dict(zip(names, answer.x.tolist()))


def _picked(answer: Mapping) -> str | None:
    return (answer.get("formula") or {}).get("python")


def _texts(answer: Mapping) -> list[str]:
    """Return the picked formula and the front, each text once, the pick first."""
    front = [entry["python"] for entry in answer.get("pareto", [])][:JUDGED]
    return list(dict.fromkeys([*filter(None, [_picked(answer)]), *front]))


def _figures(judgement: Judgement) -> dict:
    return {name: value for name, value in asdict(judgement).items() if name != "polished"}


def _write(path: Path, columns: Mapping[str, Sequence]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(values.tolist() if isinstance(values, np.ndarray) else values for values in columns.values())))
