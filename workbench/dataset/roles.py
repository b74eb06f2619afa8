"""What each column is for: an input, a target, a weight, the target's error, a group, or nothing.

A role is given by name (target=, features=, weight=, error=, group=), or for all columns at once by roles={column: role}. A column without a
role is an input when its values can be one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.exceptions import DatasetError, did_you_mean
from workbench.table import Table, listed

Role = Literal["input", "target", "weight", "error", "group", "ignore"]
ROLES: tuple[Role, ...] = ("input", "target", "weight", "error", "group", "ignore")


@dataclass(frozen=True)
class Roles:
    """The columns of each role.

    inputs : in the order asked for, else in table order
    chosen : the inputs that a person named; the others were offered by default
    """

    targets: tuple[str, ...]
    inputs: tuple[str, ...]
    chosen: frozenset[str]
    weight: str | None = None
    error: str | None = None
    groups: tuple[str, ...] = ()


def resolve(
    table: Table,
    target: str | Sequence[str] | None,
    features: Sequence[str] | None,
    roles: Mapping[str, Role] | None,
    named: Mapping[Role, str | None],
) -> Roles:
    """Give every column its one role, or raise DatasetError where two were asked for.

    Parameters
    ----------
    named : {"weight": column, "error": column, "group": column}, None where there is none
    """
    asked: dict[str, Role] = {}
    wanted: tuple[tuple[Role, list[str]], ...] = (("target", _as_list(target, "target")), ("input", _as_list(features, "features")))
    requests: list[tuple[str, Role]] = [(name, role) for role, names in wanted for name in names]
    requests += [(name, role) for role, name in named.items() if name is not None]
    requests += list((roles or {}).items())
    for name, role in requests:
        table.column(name)
        if role not in ROLES:
            raise DatasetError(f"roles={{{name!r}: {role!r}}}: no such role.{did_you_mean(role, ROLES)} Roles: {', '.join(ROLES)}.")
        if asked.setdefault(name, role) != role:
            raise DatasetError(f"Column {name!r} cannot be {_article(asked[name])} and {_article(role)} at once. Give it one role.")
    for role in ("weight", "error"):
        several = [name for name, given in asked.items() if given == role]
        if len(several) > 1:
            raise DatasetError(f"There can be one {role} column, not {len(several)}: {listed(several)}.")
    return _roles(table, asked, only_named=features is not None)


def _roles(table: Table, asked: Mapping[str, Role], only_named: bool) -> Roles:
    of = {role: tuple(name for name, given in asked.items() if given == role) for role in ROLES}
    if not of["target"]:
        raise DatasetError(f"No target was named. Name the column that is to be predicted. Columns: {listed(table.names)}.")
    if of["weight"] and of["error"]:
        raise DatasetError(
            f"Give a weight ({of['weight'][0]!r}) or a measurement error ({of['error'][0]!r}), not both: errors are turned into weights 1/error**2."
        )
    offered = () if only_named else tuple(name for name in table.names if name not in asked)
    inputs = of["input"] if only_named else tuple(name for name in table.names if name in offered or asked.get(name) == "input")
    return Roles(of["target"], inputs, frozenset(of["input"]), next(iter(of["weight"]), None), next(iter(of["error"]), None), of["group"])


def _as_list(names: str | Sequence[str] | None, argument: str) -> list[str]:
    if names is None:
        return []
    given = [names] if isinstance(names, str) else list(names)
    repeated = [name for k, name in enumerate(given) if name in given[:k]]
    if repeated:
        raise DatasetError(f"{repeated[0]!r} stands twice in {argument}. Name each column once.")
    if not given:
        raise DatasetError(f"{argument}=[]: name at least one column.")
    return given


def _article(role: Role) -> str:
    return {"input": "an input", "error": "a measurement error", "ignore": "ignored"}.get(role, f"a {role}")
