"""The parts of the page Data that one opens on demand: advanced settings, and how the file was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import streamlit as st

from workbench.ops.gpu import Gpu
from workbench.ui.markdown import literal
from workbench.ui.state.data import Preparation

WAYS = {"random": "at random", "groups": "whole groups", "time": "in time"}
TASKS = {"regression": "a measurement", "classification": "a class"}
CATEGORIES = {"indicators": "indicators (0 or 1)", "group": "one fit per group, one shared form", "ignore": "ignored"}
MISSING = {"drop": "leave the row out", "median": "fill in the median"}
BASES = {"spline": "splines", "rational": "rational functions"}
BASES_HELP = (
    "What an edge is before it has a name. Splines bend wherever the data ask for it. Rational functions, quotients of polynomials, "
    "follow resonances and other sharp peaks with few constants, and are formulas from the start."
)
SPARSITY = {0.0: "none", 1e-4: "little", 1e-3: "some", 1e-2: "much"}
SHARES = {
    "test_fraction": "They are looked at once, in the final report; nothing is chosen by them. Below 30 rows there are none.",
    "validation_fraction": "They say which form is better. Below 200 rows, folds of the fitted rows do that instead.",
}
TOKENS = {"auto": "a square of the image", "columns": "a column"}
JITTER = {0.0: "not at all", 0.5: "a little", 1.0: "some", 2.0: "much"}
SHAPE = (
    ("width", "Width", "Channels of a token; heads and groups divide it"),
    ("n_heads", "Heads", "Attention heads of a block"),
    ("n_groups", "Groups", "Activation functions side by side, each shared by a group of channels"),
)
DELIMITERS = {None: "found out", ",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blanks"}
DECIMALS = {None: "found out", ".": "point", ",": "comma"}


class Changes(Protocol):
    """What widgets hand their values to."""

    def key(self, name: str) -> str: ...
    def plan(self, name: str) -> None: ...
    def network(self, name: str) -> None: ...
    def blocks(self, name: str) -> None: ...


def advanced(data: Preparation, changed: Changes) -> None:
    """Draw everything that has a sensible default."""
    with st.expander("Advanced", key="advanced"):
        _rows(data, changed)
        _division(data, changed)
        (_transformer if data.plan.model == "kat" else _network)(data, changed)


def _rows(data: Preparation, changed: Changes) -> None:
    plan = data.plan
    choose("The target is", TASKS, plan.task, changed.key("task"), changed.plan, "task")
    if any(column.kind == "category" and plan.roles.get(column.name) == "input" for column in data.table.columns):
        choose("Categories become", CATEGORIES, plan.categories, changed.key("categories"), changed.plan, "categories")
    if any(row.missing for row in data.columns()):
        choose("Where an input is missing", MISSING, plan.missing, changed.key("missing"), changed.plan, "missing")


def _division(data: Preparation, changed: Changes) -> None:
    plan, names = data.plan, list(data.table.names)
    choose("Rows are divided", WAYS, plan.split, changed.key("split"), changed.plan, "split")
    if plan.split != "random":
        st.selectbox("By the column", names, index=names.index(plan.split_by) if plan.split_by in names else None, key=changed.key("split_by"),
                     placeholder="as they stand" if plan.split == "time" else "choose a column", on_change=changed.plan, args=("split_by",))  # fmt: skip
    shares = (("test_fraction", "To report on", 0.0), ("validation_fraction", "To choose by", 0.05))
    for place, (name, label, lowest) in zip(st.columns(2), shares, strict=True):
        value = min(max(float(getattr(plan, name)), lowest), 0.6)
        place.number_input(label, lowest, 0.6, value, 0.05, key=changed.key(name), on_change=changed.plan, args=(name,),
                           help=f"Share of the rows. {SHARES[name]}")  # fmt: skip


def _network(data: Preparation, changed: Changes) -> None:
    network = data.plan.network
    choose("Edge functions", BASES, network.basis, changed.key("basis"), changed.network, "basis", BASES_HELP)
    left, right = st.columns(2)
    left.text_input("Product nodes", network.products, key=changed.key("products"), placeholder="none", on_change=changed.network,
                  args=("products",), help="Factors of each, such as 2, 2; a semicolon begins the next hidden layer.")  # fmt: skip
    near = min(SPARSITY, key=lambda weight: abs(weight - network.sparsity))
    with right:
        choose("Sparsity", SPARSITY, near, changed.key("sparsity"), changed.network, "sparsity")
    left, right = st.columns(2)
    left.number_input("Seed", 0, 2**31 - 1, min(network.seed, 2**31 - 1), key=changed.key("seed"), on_change=changed.network, args=("seed",))
    right.number_input("Search (s)", 5.0, 3600.0, min(max(float(network.seconds), 5.0), 3600.0), 5.0, format="%.0f", key=changed.key("seconds"),
                       on_change=changed.network, args=("seconds",), help="Seconds that finding the law may take")  # fmt: skip
    _gpu(network.gpu, data.gpu(), changed)


def _gpu(wanted: bool, found: Gpu, changed: Changes) -> None:
    """Draw the choice of the GPU. What is chosen can be taken back where there is none."""
    why = f"Pays off for networks of thousands of constants. Found: {found.devices}" if found.usable else f"{found.missing} {found.remedy}".strip()
    st.toggle("Use GPU", wanted, key=changed.key("gpu"), on_change=changed.network, args=("gpu",), disabled=not (found.usable or wanted), help=literal(why))


def blocks(data: Preparation, changed: Changes) -> None:
    """Draw the settings of a transformer that one looks at first: what a token is, and how long it learns."""
    chosen, sizes = data.plan.blocks, data.patch_sizes()
    if sizes:
        choose("A token is", TOKENS, chosen.tokens, changed.key("tokens"), changed.blocks, "tokens")
    left, right = st.columns(2)
    left.number_input("Epochs", 1, 1000, min(max(chosen.epochs, 1), 1000), key=changed.key("epochs"), on_change=changed.blocks, args=("epochs",),
                      help="How often every row is learned from")  # fmt: skip
    right.number_input("Blocks", 1, 12, min(max(chosen.depth, 1), 12), key=changed.key("depth"), on_change=changed.blocks, args=("depth",),
                       help="Each has attention and two activations")  # fmt: skip


def _transformer(data: Preparation, changed: Changes) -> None:
    chosen, sizes = data.plan.blocks, data.patch_sizes()
    if sizes and chosen.tokens != "columns":
        left, right = st.columns(2)
        with left:
            words = {0: f"{sizes[-1]} × {sizes[-1]} pixels", **{size: f"{size} × {size} pixels" for size in sizes[:-1]}}
            choose("Squares of", words, chosen.patch_size, changed.key("patch_size"), changed.blocks, "patch_size")
        with right:
            near = min(JITTER, key=lambda strength: abs(strength - chosen.jitter))
            choose("Vary images", JITTER, near, changed.key("jitter"), changed.blocks, "jitter")
    left, right = st.columns(2)
    for place, (name, label, help_) in zip((left, right, left, right), SHAPE, strict=False):
        place.number_input(label, 1, 512, min(max(getattr(chosen, name), 1), 512), key=changed.key(name), on_change=changed.blocks, args=(name,), help=help_)
    right.number_input("Seed", 0, 2**31 - 1, min(data.plan.network.seed, 2**31 - 1), key=changed.key("seed"), on_change=changed.network, args=("seed",))


def choose(label: str, options: dict[Any, str], value: object, key: str, take: Callable[[str], None], name: str, why: str | None = None) -> None:
    """Draw a choice of one among a few."""
    known = list(options)
    st.selectbox(label, known, index=known.index(value) if value in known else 0, format_func=lambda option: options[option], key=key,
                 on_change=take, args=(name,), help=why)  # fmt: skip


def reading(data: Preparation, attempt: Callable[[Callable[[], Any]], bool]) -> None:
    """Draw how the file was read, and let a person read it in another way."""
    now = data.plan.reading
    if not data.can_read_again():
        st.caption(f"{literal(now.file) or 'The file'} is not kept here. To read it in another way, drop it again on the page Projects.")
        return
    with st.form(f"reading-{data.project.id}-{data.project.dataset}", border=False):
        wanted = replace(now, **(_sheet(now.sheets, now.sheet, now.cells) if now.sheets else _text(now.delimiter, now.decimal)))
        header = st.number_input("Row of the names", 0, 1_000_000, now.header, placeholder="found out", help="Counted from 1; 0: there is none.")
        if st.form_submit_button("Read again", icon=":material/refresh:") and attempt(lambda: data.read_again(replace(wanted, header=header))):
            st.session_state[f"generation-{data.project.id}"] = st.session_state.get(f"generation-{data.project.id}", 0) + 1
            st.rerun()
    if problem := st.session_state.get("data_problem"):
        st.error(literal(problem), icon=":material/error:")


def _sheet(sheets: tuple[str, ...], sheet: str | None, cells: str | None) -> dict[str, Any]:
    chosen = st.selectbox("Sheet", list(sheets), index=sheets.index(sheet) if sheet in sheets else 0)
    area = st.text_input("Range", cells or "", placeholder="all", help="Such as B2:F40")
    return {"sheet": chosen, "cells": area.strip() or None}


def _text(delimiter: str | None, decimal: str | None) -> dict[str, Any]:
    left, right = st.columns(2)
    signs, marks = list(DELIMITERS), list(DECIMALS)
    sign = left.selectbox("Cells are separated by", signs, index=signs.index(delimiter) if delimiter in signs else 0,
                          format_func=lambda option: DELIMITERS[option])  # fmt: skip
    mark = right.selectbox("Decimal sign", marks, index=marks.index(decimal) if decimal in marks else 0, format_func=lambda option: DECIMALS[option])
    return {"delimiter": sign, "decimal": mark}
