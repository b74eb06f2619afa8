"""What can be typed after `kan-workbench`, checked before anything heavy is imported.

Lists are comma-separated as in a CSV line, so that a column name with a comma can be quoted:

    --features 'Girth,"Height, measured"'     ->  ["Girth", "Height, measured"]
    --units Girth=in,Height=ft                ->  {"Girth": "in", "Height": "ft"}
    --hidden 5,3                              ->  (5, 3)
"""

from __future__ import annotations

import argparse
import csv
import importlib
import math
import re
from collections.abc import Callable, Sequence
from typing import NoReturn

import workbench
from workbench.exceptions import WorkbenchError


class UsageError(WorkbenchError):
    """The words on the command line are not a command."""


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line and an exception, not a usage text and an exit."""

    def error(self, message: str) -> NoReturn:
        command = self.prog.partition(" ")[2]
        raise UsageError(f"{command + ': ' if command else ''}{message}. `{self.prog} --help` shows what can be typed.")


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Turn words into options; `options.command(options)` runs the command.

    Raises
    ------
    UsageError : the words are not a command; the message says which word and what is allowed
    """
    return _build_parser().parse_args(arguments)


def comma_separated(text: str) -> list[str]:
    """Split "a,b" at its commas, as one line of CSV.

    >>> comma_separated('Girth,"Height, measured"')
    ['Girth', 'Height, measured']
    """
    names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    if not names or not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of names; write A,B (a name with a comma in double quotes)")
    return names


def named_units(text: str) -> dict[str, str]:
    """Read "length=m,mass=kg" as a mapping from column to unit.

    >>> named_units("length=m,mass=kg")
    {'length': 'm', 'mass': 'kg'}
    """
    pairs = [part.rpartition("=") for part in comma_separated(text)]
    if not all(column and unit for column, _, unit in pairs):
        raise argparse.ArgumentTypeError(f"{text!r} does not give units; write COLUMN=UNIT,COLUMN=UNIT")
    return {column.strip(): unit.strip() for column, _, unit in pairs}


def layer_sizes(text: str) -> tuple[int, ...]:
    """Read "5" or "5,3" as the number of nodes of each hidden layer.

    >>> layer_sizes("5,3")
    (5, 3)
    """
    if not re.fullmatch(r"\s*[1-9]\d{0,3}\s*(,\s*[1-9]\d{0,3}\s*)*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of layer sizes; write whole numbers from 1 to 9999, as in 5 or 5,3")
    return tuple(int(size) for size in text.split(","))


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    """Make a reader of whole numbers between two bounds."""

    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,10}", text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return read


def _seconds(text: str) -> float:
    """Read a number of seconds above zero."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; write seconds above 0, as in 60")
    return seconds


def _deferred(module: str, function: str) -> Callable[[argparse.Namespace], int]:
    """Name a command by the module that holds it, which is imported when the command runs."""

    def run(options: argparse.Namespace) -> int:
        return getattr(importlib.import_module(f"workbench.cli.{module}"), function)(options)

    return run


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="kan-workbench", description="From a table of measurements to a certified formula.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"kan-workbench {workbench.__version__}")
    parser.set_defaults(traceback=False)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=_Parser)

    def add(name: str, module: str, help_text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help_text, description=help_text, allow_abbrev=False)
        command.set_defaults(command=_deferred(module, name))
        command.add_argument("--traceback", action="store_true", help="show the whole traceback of a fault")
        return command

    _describe_app(add("app", "server", "Open the workbench in the browser."))
    _describe_fit(add("fit", "modelling", "Fit a Kolmogorov-Arnold network, or a Kolmogorov-Arnold transformer, to a table."))
    _describe_discover(add("discover", "modelling", "Search a table for the law behind one of its columns."))
    _describe_predict(add("predict", "modelling", "Predict the rows of a table with a saved discovery or transformer."))
    add("samples", "modelling", "List the sample tables and tasks.")
    _describe_doctor(add("doctor", "doctor", "Say what this machine offers the workbench, and how to get what is missing."))
    return parser


def _describe_app(command: argparse.ArgumentParser) -> None:
    command.add_argument("--port", type=_whole_number(1, 65535), metavar="N", help="port to listen on (the first free one from 8501)")
    command.add_argument("--workspace", metavar="DIR", help="folder that keeps the projects (one for each user of the computer)")
    command.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on; any but this machine's own needs a sign-in")
    command.add_argument("--no-browser", action="store_true", help="do not open a browser window")


def _describe_fit(command: argparse.ArgumentParser) -> None:
    _describe_data(command)
    command.add_argument("--hidden", type=layer_sizes, default=(5,), metavar="5", help="nodes of each hidden layer (5)")
    command.add_argument("--basis", choices=["spline", "rational"], default="spline", help="what the edges are: splines or quotients of polynomials")
    command.add_argument("--random-state", type=_whole_number(0, 2**32 - 1), default=0, metavar="N", help="seed (0)")
    engines = ("native", "cpu", "cuda")
    command.add_argument("--engine", choices=engines, default="native", help="who fits: cuda trains large networks on a GPU, cpu likewise without (native)")
    command.add_argument("--save", metavar="FILE.kanwb", help="keep the network as a discovery to go on with")
    command.add_argument("--model", choices=["kan", "kat"], default="kan", help="kan, a network that becomes a formula, or kat, a transformer with learned activations (kan)")
    kat = command.add_argument_group("with --model kat")
    kat.add_argument("--task", choices=["regression", "classification"], help="what the target is (classes where it holds words; else a measurement)")
    kat.add_argument("--tokens", choices=["auto", "columns", "patches"], default="auto", help="a token is a column, or a square of an image whose pixels are the columns (auto)")
    kat.add_argument("--patch-size", type=_whole_number(0, 1000), default=0, metavar="PIXELS", help="side of a square (the largest that cuts the image into four)")
    kat.add_argument("--epochs", type=_whole_number(1, 100_000), default=40, metavar="N", help="how often every row is learned from (40)")
    kat.add_argument("--width", type=_whole_number(1, 4096), default=48, metavar="N", help="channels of a token (48)")
    kat.add_argument("--depth", type=_whole_number(1, 100), default=2, metavar="N", help="blocks (2)")
    kat.add_argument("--name", action="store_true", help="give every activation function a name afterwards, and say what that cost")


def _describe_discover(command: argparse.ArgumentParser) -> None:
    _describe_data(command)
    command.add_argument("--functions", type=comma_separated, metavar="exp,log,...", help="the only functions a law may use (all)")
    command.add_argument("--max-complexity", type=_whole_number(1, 10_000), metavar="N", help="nodes a formula may have")
    command.add_argument("--hidden", type=layer_sizes, metavar="5", help="nodes of each hidden layer (chosen from the data)")
    command.add_argument("--time-budget", type=_seconds, default=60.0, metavar="SECONDS", help="wall time of the whole command (60)")
    command.add_argument("--random-state", type=_whole_number(0, 2**32 - 1), default=0, metavar="N", help="seed (0)")
    command.add_argument("--json", metavar="OUT.json", help="write the result as JSON")
    command.add_argument("--report", metavar="OUT.html", help="write the report")
    command.add_argument("--save", metavar="FILE.kanwb", help="keep the discovery")


def _describe_data(command: argparse.ArgumentParser) -> None:
    command.add_argument("table", metavar="TABLE", help="CSV, TSV, Excel, Parquet, JSON or .npz file, or the name of a sample")
    command.add_argument("--target", required=True, metavar="NAME", help="column to explain")
    command.add_argument("--features", type=comma_separated, metavar="A,B", help="columns to explain it with (all that can be used)")
    command.add_argument("--units", type=named_units, metavar="A=m,B=s", help="units of columns")


def _describe_predict(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", metavar="FILE.kanwb", help="a saved discovery or transformer")
    command.add_argument("table", metavar="TABLE", help="table with the columns that are needed")
    command.add_argument("--out", metavar="FILE.csv", help="write the predictions there (stdout)")


def _describe_doctor(command: argparse.ArgumentParser) -> None:
    command.add_argument("--install", choices=["pysr"], help="install an optional engine: pysr brings Julia")
    command.add_argument("--yes", action="store_true", help="install without asking")
    command.add_argument("--json", action="store_true", help="print the findings as JSON")
