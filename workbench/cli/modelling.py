"""The commands that turn a table into a model: `fit`, `discover`, `predict` and `samples`.

Each is one call of the public API between reading a table and printing what came out; `import workbench as wb` does the same in Python.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import workbench as wb
from workbench.cli.result import discovery_result
from workbench.dataset import task_info, task_names
from workbench.exceptions import WorkbenchError, did_you_mean

if TYPE_CHECKING:
    import numpy as np

    from workbench.dataset import Dataset, Task
    from workbench.table import Table

    Predicted = tuple[Mapping[str, np.ndarray], np.ndarray, str]

_STARTED = time.monotonic()
START_UP_SECONDS = 0.5       # the interpreter before this line, and the writing of the result after the search

_TOLD = frozenset({"sheet", "renamed", "number", "category", "date", "rows", "ignored"})  # kinds of notes of a dataset: nothing is dropped in silence


class OutputError(WorkbenchError):
    """A result cannot be written where it was asked for."""


def fit(options: argparse.Namespace) -> int:
    """Fit a network, say how well it does, and keep it if asked to."""
    _require_folders(options.save)
    if options.model == "kat":
        return _fit_transformer(options)
    found = wb.Discovery(_dataset(options)).fit(**_settings(options))
    metrics = found.metrics
    print(f"{metrics.n_edges} edges; R2 train {_figure(metrics.r2_train)}, validation {_figure(metrics.r2_validation)}, test {_figure(metrics.r2_test)}")
    if options.save:
        found.save(options.save)
        print(f"Kept in {options.save}.")
    return 0


def _fit_transformer(options: argparse.Namespace) -> int:
    """Train a transformer, name its functions if asked to, and say how well it does."""
    settings = {name: getattr(options, name) for name in ("tokens", "patch_size", "epochs", "width", "depth", "random_state")}
    kat = wb.Transformer.fit(_dataset(options), **settings)
    if options.name:
        *_, kat = kat.names()
    metrics = kat.metrics()
    scores = ", ".join(f"{part} {_figure(metrics[f'r2_{part}'])}" for part in ("train", "validation", "test"))
    print(f"{metrics['n_edges']} activation functions; {metrics['score'].replace('²', '2')} {scores}")
    for function in kat.reading.functions if options.name else ():
        path, group = function.address
        print(f"  {f'{path}[{group}]':<24} {function.n_channels:>4} channels   {function.text}")
    if options.name:
        print(kat.certificate().text)
    if options.save:
        kat.save(options.save)
        print(f"Kept in {options.save}.")
    return 0


def discover(options: argparse.Namespace) -> int:
    """Search for the law, print it, and write the files that were asked for."""
    _require_folders(options.json, options.report, options.save)
    data = _dataset(options)
    limits = {"functions": options.functions, "max_complexity": options.max_complexity, "hidden_layer_sizes": options.hidden}
    left = max(0.5, options.time_budget - START_UP_SECONDS - (time.monotonic() - _STARTED))
    found = wb.discover(data, time_budget=left, random_state=options.random_state, **{name: value for name, value in limits.items() if value is not None})
    result = discovery_result(found, seconds=time.monotonic() - _STARTED)
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    if options.report:
        from workbench.export.report import write_report

        write_report(found, options.report)
    if options.save:
        found.save(options.save)
    _print_result(result, found.reasons)
    return 0


def predict(options: argparse.Namespace) -> int:
    """Predict every row of a table; a second column says which rows lie outside the range of the fit."""
    _require_folders(options.out)
    columns, outside, message = (_from_transformer if _holds_transformer(options.file) else _from_discovery)(options)
    if options.out:
        with open(options.out, "w", encoding="utf-8", newline="") as file:
            _write_predictions(file, columns, outside)
    else:
        _write_predictions(sys.stdout, columns, outside)
    if message:
        print(f"kan-workbench: {message}", file=sys.stderr)
    return 0


def _from_discovery(options: argparse.Namespace) -> Predicted:
    found = wb.load_discovery(options.file)
    prediction = found.predict(_table(options.table))
    values = prediction.values.reshape(len(prediction.outside), -1)      # (n_rows,) -> (n_rows, n_outputs)
    return {output.name: values[:, k] for k, output in enumerate(found.formula().outputs)}, prediction.outside, prediction.message


def _from_transformer(options: argparse.Namespace) -> Predicted:
    prediction = wb.Transformer.load(options.file).predict(_table(options.table))
    return prediction.columns, prediction.outside, prediction.message


def _holds_transformer(file: str) -> bool:
    """Say whether a project file stands at a transformer; torch is not needed to see that."""
    from workbench.store import Archive, read_project

    archive = Archive.from_parts(*read_project(file))
    return any(state.step.id == archive.cursor and "kat" in state.network for state in archive.states)


def samples(options: argparse.Namespace) -> int:
    """List the sample tables with their columns; a name can stand wherever a TABLE is asked for."""
    for name in wb.sample_names():
        data = wb.load_sample(name)
        features = ", ".join(column.name for column in data.features)
        print(f"{name:<16} {data.table.n_rows:>4} rows   {data.targets[0].name} from {features}")
    for name in task_names():
        task = task_info(name)
        print(f"{name:<16} {task.n_rows:>4} rows   {task.target} from {task.inputs}, for --model kat")
    return 0


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of a fit; basis and engine are named, and recorded, where they are not the usual ones."""
    usual = {"basis": "spline", "engine": "native"}
    chosen = {name: getattr(options, name) for name, value in usual.items() if getattr(options, name) != value}
    return {"hidden_layer_sizes": options.hidden, "random_state": options.random_state, **chosen}


def _dataset(options: argparse.Namespace) -> Dataset:
    """Read the table, give its columns their roles, and say on stderr what was left out or read in another way than it stands there."""
    table = _table(options.table)
    task = _task_of(options, table) if getattr(options, "model", "kan") == "kat" else "regression"
    data = wb.Dataset.from_table(table, target=options.target, features=options.features, units=options.units or {}, task=task)
    for note in data.notes:
        if note.kind in _TOLD:
            print(f"kan-workbench: {note.text}", file=sys.stderr)
    return data


def _task_of(options: argparse.Namespace, table: Table) -> Task:
    """Return what a target is: where nobody says, a class if it holds words, or is that of a sample task."""
    if options.task:
        return options.task
    is_task = not Path(options.table).exists() and options.table in task_names() and task_info(options.table).target == options.target
    return "classification" if is_task or (options.target in table and table.column(options.target).kind in ("category", "boolean")) else "regression"


def _table(source: str) -> Table:
    """Read a file, or take a sample by its name when there is no such file."""
    if Path(source).exists():
        return wb.read_table(source)
    known = (*wb.sample_names(), *task_names())
    if source in known:
        return wb.load_sample(source).table
    raise WorkbenchError(f"{source!r}: there is no such file, and no sample of that name.{did_you_mean(source, known)} Samples: {', '.join(known)}.")


def _require_folders(*paths: str | None) -> None:
    """Refuse an output file that cannot be written before any time is spent on its content."""
    for path in filter(None, paths):
        folder = Path(path).absolute().parent
        if not folder.is_dir():
            raise OutputError(f"{path!r} cannot be written: there is no folder {str(folder)!r}. Make it first, or name another.")
        if Path(path).is_dir() or not os.access(path if Path(path).exists() else folder, os.W_OK):
            raise OutputError(f"{path!r} cannot be written: it is a folder, or you may not write there. Name another file.")


def _print_result(result: dict, reasons: Sequence[str]) -> None:
    """Print the verdict and its reasons, the formula with its figures, and the Pareto front, simplest first."""
    print(f"verdict: {result['verdict']}")
    print(*(f"  {reason}" for reason in reasons), sep="\n")
    formula = result["formula"]
    if formula:
        print(f"{result['target']} = {formula['python']}")
        print(f"complexity {formula['complexity']}, R2 train {_figure(formula['r2_train'])}, R2 test {_figure(formula['r2_test'])}")
        largest = ", ".join(f"{rows} {_figure(value)}" for rows, value in formula["certificate"]["max_abs"].items())
        print(f"largest difference between network and formula: {largest}" + (" (exact)" if formula["certificate"]["exact"] else ""))
    for other in result["pareto"]:
        doubt = "   (does not fit the units)" if other["fits_units"] is False else ""
        print(f"  {other['complexity']:>4}  R2 {_figure(other['r2_train'])}  {other['python']}{doubt}")
    print(f"{result['seconds']:.1f} s")


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _write_predictions(file: TextIO, columns: Mapping[str, np.ndarray], outside: np.ndarray) -> None:
    """Write one row a prediction, in full precision."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*map(_spreadsheet_safe, columns), "outside_range"])
    rows = zip(*(values.tolist() for values in columns.values()), outside, strict=True)
    writer.writerows([*(_spreadsheet_safe(value) if isinstance(value, str) else repr(value) for value in row), int(flag)] for *row, flag in rows)


def _spreadsheet_safe(name: str) -> str:
    """Quote a column name that a spreadsheet would run as a formula."""
    return f"'{name}" if name[:1] in {"=", "+", "-", "@"} else name
