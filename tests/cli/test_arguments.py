"""What can be typed, and that everything else gets one plain line and exit code 2."""

from __future__ import annotations

import pytest

from workbench.cli import main
from workbench.cli.arguments import UsageError, parse_arguments


def test_discover_takes_every_option_of_the_manual() -> None:
    options = parse_arguments(
        ["discover", "runs.csv", "--target", "period", "--features", "length,mass", "--units", "length=m,period=s", "--functions", "exp,log",
         "--max-complexity", "13", "--hidden", "5,3", "--time-budget", "7.5", "--random-state", "11", "--json", "o.json", "--report", "o.html"]
    )
    assert (options.table, options.target, options.features) == ("runs.csv", "period", ["length", "mass"])
    assert options.units == {"length": "m", "period": "s"}
    assert (options.functions, options.max_complexity, options.hidden) == (["exp", "log"], 13, (5, 3))
    assert (options.time_budget, options.random_state, options.json, options.report) == (7.5, 11, "o.json", "o.html")


@pytest.mark.parametrize(
    "words",
    [
        ["app"],
        ["app", "--port", "8600", "--workspace", "projects"],
        ["fit", "runs.csv", "--target", "y", "--hidden", "5", "--save", "runs.kanwb"],
        ["fit", "runs.csv", "--target", "y", "--basis", "rational"],
        ["predict", "runs.kanwb", "new.csv", "--out", "out.csv"],
        ["samples"],
        ["doctor"],
        ["doctor", "--install", "pysr", "--yes"],
    ],
)
def test_every_command_of_the_manual_is_known(words: list[str]) -> None:
    assert callable(parse_arguments(words).command)


def test_a_column_name_with_a_comma_can_be_quoted() -> None:
    options = parse_arguments(["fit", "t.csv", "--target", "y", "--features", 'Girth,"Height, measured"', "--units", '"Height, measured"=ft'])
    assert options.features == ["Girth", "Height, measured"]


def test_a_column_name_with_an_equals_sign_keeps_it() -> None:
    assert parse_arguments(["fit", "t.csv", "--target", "y", "--units", "a=b=m"]).units == {"a=b": "m"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "COMMAND"),
        (["dicsover"], "invalid choice: 'dicsover'"),
        (["discover", "t.csv"], "--target"),
        (["discover", "t.csv", "--target", "y", "--time-budget", "-3"], "'-3' is not a time"),
        (["discover", "t.csv", "--target", "y", "--time-budget", "nan"], "'nan' is not a time"),
        (["discover", "t.csv", "--target", "y", "--hidden", "5,0"], "'5,0' is not a list of layer sizes"),
        (["discover", "t.csv", "--target", "y", "--features", "a,,b"], "'a,,b' is not a list of names"),
        (["discover", "t.csv", "--target", "y", "--units", "metre"], "COLUMN=UNIT"),
        (["discover", "t.csv", "--target", "y", "--random-state", "one"], "whole number from 0 to 4294967295"),
        (["app", "--port", "70000"], "whole number from 1 to 65535"),
        (["doctor", "--install", "julia"], "'pysr'"),
        (["discover", "t.csv", "--target", "y", "--tim", "3"], "unrecognized arguments: --tim"),
    ],
)
def test_bad_words_get_one_line_on_stderr_and_exit_code_2(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.startswith("kan-workbench: ")
    assert err.count("\n") == 1


def test_a_usage_error_names_the_command_whose_help_explains_it() -> None:
    with pytest.raises(UsageError, match="`kan-workbench discover --help`"):
        parse_arguments(["discover", "t.csv", "--target", "y", "--hidden", "none"])
