"""Symbols: every column name becomes an identifier that our expression language, Python and C accept."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.expression.tree import RESERVED_NAMES, Symbol
from workbench.table import safe_symbols
from workbench.table.symbols import RESERVED


@given(st.lists(st.text(max_size=20), max_size=7))
def test_any_names_become_different_ascii_identifiers_without_another_meaning(names):
    symbols = safe_symbols(names)
    assert len(symbols) == len(names)
    assert len(set(symbols)) == len(symbols)
    for symbol in symbols:
        assert symbol.isascii()
        assert symbol.isidentifier()
        assert not keyword.iskeyword(symbol)
        Symbol(symbol)  # raises when the expression language refuses it


@given(st.lists(st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True), unique=True, max_size=7))
def test_names_that_are_fine_stay_as_they_are(names):
    for name, symbol in zip(names, safe_symbols(names)):
        assert (symbol == name) == (name not in RESERVED)


@given(st.lists(st.sampled_from(["a b", "a-b", "a_b", "é", "e", "α", "alpha", "lambda", "lambda_", "", " ", "x", "x_2"]), max_size=11))
def test_symbols_stay_symbols_when_they_are_made_safe_again(names):
    once = safe_symbols(names)
    assert safe_symbols(once) == once


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("Girth", "Girth"), ("N", "N"), ("beta", "beta"), ("lambda", "lambda_"), ("exp", "exp_"), ("pi", "pi_"), ("e", "e_"),
        ("α", "alpha"), ("Ω", "Omega"), ("λ", "lambda_"), ("µ", "mu"), ("Δx", "Delta_x"), ("x₁", "x1"), ("Länge (m)", "Lange_m"),
        ("2nd run", "x2nd_run"), ("", "x"), (" \n", "x"), ("🌡", "thermometer"), ("温", "u6E29"), ("T (°C)", "T_deg_C"),
        ("phi_0_2_1", "phi_0_2_1_"), ("__import__", "import_"), ("class", "class_"), ("None", "None_"),
    ],
)  # fmt: skip
def test_names_are_spelled_as_a_scientist_would(name, symbol):
    assert safe_symbols([name]) == (symbol,)


def test_a_fine_name_keeps_its_symbol_although_a_spelled_one_comes_first():
    assert safe_symbols(["α", "alpha", "ALPHA "]) == ("alpha_2", "alpha", "ALPHA")


def test_nothing_of_the_expression_language_is_free_to_be_a_symbol():
    assert RESERVED_NAMES <= RESERVED
