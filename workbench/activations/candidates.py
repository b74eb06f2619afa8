"""What an activation function could be called, judged by the whole model.

    curve over what it received  ->  every form fitted to it                       a preview
                                 ->  the best few in the function's place, the whole model trained a little    outputs on validation rows
                                 ->  order

Names are ordered by what they ask to be believed (snapping.ranking.burden: complexity, constants, digits lost) and how far off the outputs are: a form
may be four points heavier for outputs half as far off.

An activation must have a value wherever the rest of the model sends it, on rows nobody has seen yet too: forms that are not defined everywhere
are refused. The model asked about never changes; each candidate that was judged carries its own, so that to snap is to take it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from torch import nn

from workbench.activations.received import Received
from workbench.exceptions import SnapError
from workbench.expression import Call, Expression, Number, Symbol, add, fold, free_constants, mul, to_text, with_constants
from workbench.networks.kat.snapped import Name
from workbench.primitives import ACTIVATIONS, LIBRARY, Form, PrimitiveForm
from workbench.snapping import edge_fit, form_of, ranking
from workbench.snapping.edge_fit import EdgeFit

Address = tuple[str, int]  # path of the activation in the module, and group

_STEEP = {"cbrt", "|x|^p", "sign"}  # an infinite slope, or none, is nothing to train through
_SWELLING = {"sinc", "sinc^2", "x*sin", "exp(-p*x)*sin"}  # waves whose swell bends into any curve: they imitate and say nothing
_SAME_CURVE = 1e-3  # of a curve's spread: what no eye tells apart
_HALVING = 4.0  # points of complexity that a form may cost more for outputs half as far off
_NO_DIFFERENCE = 1e-4  # of outputs, in units of their spread: what training in float32 leaves
_DIGITS = 4
_BY_NAME = {*ACTIVATIONS, "silu", "softplus", "logistic", "sech"}


@dataclass(frozen=True, eq=False)
class KATCandidate:
    """One form for one activation function.

    Parameters
    ----------
    address : which function
    name : form and constants, as trained with the model where it was judged
    preview_r2 : share of the curve's variance the form explains over what the function received
    complexity : of the form, as the library counts
    difference : of the model's outputs on validation rows to those of the model that was opened, root mean square in units of their spread, after the
        model was trained a little with the form in its place; None for a preview
    delta_difference : change of it against the model trained as little without the name: what the name costs
    delta_score : the same for accuracy or R2; positive is better
    tied_with : forms that the validation rows cannot tell from this one
    module : the model with this form; None for a preview
    """

    address: Address
    name: Name
    preview_r2: float
    complexity: int
    difference: float | None = None
    delta_difference: float | None = None
    delta_score: float | None = None
    tied_with: tuple[str, ...] = ()
    module: nn.Module | None = None

    @cached_property
    def text(self) -> str:
        """The function of x, constants rounded for reading."""
        return text_of(self.name)


@dataclass(frozen=True, eq=False)
class Judged:
    """A model after a little training: squared differences of its outputs on every validation row, in units of their variance, and its score."""

    module: nn.Module
    errors: np.ndarray
    score: float

    @property
    def difference(self) -> float:
        return float(np.sqrt(self.errors.mean()))


def text_of(name: Name) -> str:
    """Return a named function as text in x, constants rounded to four digits."""
    return to_text(short(name))


def short(name: Name) -> Expression:
    """Return a named function of x for reading: constants rounded to four digits, activations that everybody knows called by their names."""
    form, constants = name.form, [*map(float, name.constants)]
    if isinstance(form, PrimitiveForm) and form.name in _BY_NAME:
        c, a, b, offset = constants
        function = mul(Number(c), Call(form.name, (add(mul(Number(a), Symbol("x")), Number(b)),)))
    else:
        function, offset = form.expression(Symbol("x"), constants[:-1]), constants[-1]
    expression = fold(add(function, Number(offset)))
    return with_constants(expression, [float(f"{value:.{_DIGITS}g}") for value in free_constants(expression)])


def forms_offered(asked: Iterable[Form | str] | None) -> tuple[Form, ...]:
    """Return the forms asked for, or those that are worth offering: defined everywhere, with a slope, and no wave that swells or fades.

    Raises
    ------
    SnapError : a form that was asked for is not defined everywhere
    """
    if asked is None:
        return tuple(PrimitiveForm(p) for p in (*LIBRARY.values(), *ACTIVATIONS.values()) if p.domain == "any" and p.name not in _STEEP | _SWELLING)
    forms = tuple(form_of(form) for form in asked)
    for form in forms:
        if isinstance(form, PrimitiveForm) and form.primitive.domain != "any":
            raise SnapError(
                f"{form.name!r} is not defined everywhere, but an activation needs a value wherever the rest of the model sends it. "
                f"Take one of {', '.join(offered.name for offered in forms_offered(None))}."
            )
    return forms


def fitted(function: Received, forms: Sequence[Form]) -> list[EdgeFit]:
    """Fit every form to what a function received and gave, each in its simplest variant that costs nothing; closest first.

    Variants that float32 cannot hold are left out, such as 3e11 tanh(0.2 x + 13) - 3e11, which imitates an exponential.
    """
    fits = edge_fit.fit_forms(function.curve, forms)
    every = [fit for fit in (*fits, *edge_fit.variants(function.curve, fits)) if _holds(fit, function)]
    kinds = [[fit for fit in every if fit.form == form] for form in forms]
    return sorted((edge_fit.plain(kind, len(function.curve.x)) for kind in kinds if kind), key=lambda fit: fit.error)


def _holds(fit: EdgeFit, function: Received) -> bool:
    """Say whether a fit explains anything and keeps three digits in float32, which has seven: neither constants nor terms cancel more than four."""
    x, spread = function.curve.x, function.curve.variance**0.5
    largest = np.abs(fit.value(x) - fit.offset).max()
    return fit.error < 1.0 and ranking.digits_lost(fit, x) < ranking.IMITATION and largest <= 10**ranking.IMITATION * spread


def name_of(fit: EdgeFit) -> Name:
    """Return a fit as a name."""
    return Name(fit.form, (*fit.parameters, fit.offset), (*fit.free, fit.free_offset))


def families(fits: Sequence[EdgeFit], function: Received) -> list[list[EdgeFit]]:
    """Part fits into families of one curve under several names, as sin, cos and sin^2 are; the name that asks least to be believed leads each."""
    x, limit = function.curve.x, _SAME_CURVE * function.curve.variance**0.5
    found: list[list[EdgeFit]] = []
    for fit in fits:
        value = fit.value(x)
        own = next((family for family in found if np.sqrt(np.mean((family[0].value(x) - value) ** 2)) <= limit), None)
        if own is None:
            found.append([fit])
        else:
            own.append(fit)
    return [sorted(family, key=lambda fit: _burden(fit, function)) for family in found]


def shortlist(families: Sequence[list[EdgeFit]], count: int) -> list[list[EdgeFit]]:
    """Return those worth judging by the whole: the closest, and of the others the simplest that are not much further off."""
    close = list(families[: (count + 1) // 2])
    others = sorted(families[len(close) :], key=lambda family: np.log(max(family[0].error, 1e-9)) + 0.5 * family[0].form.complexity)
    return close + others[: count - len(close)]


def previews(address: Address, fits: Sequence[EdgeFit]) -> list[KATCandidate]:
    """Return fits as candidates that were not judged."""
    return [_preview(address, fit) for fit in fits]


def ranked(
    address: Address, function: Received, fits: Sequence[EdgeFit], judge: Callable[[Name | None], Judged], count: int
) -> tuple[KATCandidate, ...]:
    """Judge the best curves by the whole and return every candidate, judged ones first, best first.

    Parameters
    ----------
    address, function : which function, and what it received
    fits : closest first
    judge : trains the model a little with a name in the function's place, or without one
    count : how many are judged
    """
    short, plain = shortlist(families(fits, function), count), judge(None)
    judged = {family[0].form: judge(name_of(family[0])) for family in short}
    least = max(min(own.difference for own in judged.values()), plain.difference, _NO_DIFFERENCE)

    def weight(family: list[EdgeFit]) -> float:
        further = max(judged[family[0].form].difference / least, 1.0)
        return _burden(family[0], function) + _HALVING * float(np.log2(further))

    found = [
        replace(
            _preview(address, family[0]),
            difference=own.difference,
            delta_difference=own.difference - plain.difference,
            delta_score=own.score - plain.score,
            tied_with=_ties(family, short, judged),
            module=own.module,
        )
        for family in sorted(short, key=weight)
        for own in [judged[family[0].form]]
    ]
    return (*found, *previews(address, [fit for fit in fits if fit.form not in judged]))


def _ties(family: list[EdgeFit], short: Sequence[list[EdgeFit]], judged: Mapping[Form, Judged]) -> tuple[str, ...]:
    """Return the other names that a family's curve has, and those that the validation rows cannot tell from it."""
    own = judged[family[0].form].errors
    alike = []
    for other in short:
        smaller, larger = sorted((own, judged[other[0].form].errors), key=lambda errors: float(errors.mean()))
        if ranking.tied(larger, smaller):
            alike += [fit.form.name for fit in other]
    return tuple(name for name in alike if name != family[0].form.name)


def _burden(fit: EdgeFit, function: Received) -> float:
    return ranking.burden(fit, ranking.digits_lost(fit, function.curve.x))


def _preview(address: Address, fit: EdgeFit) -> KATCandidate:
    return KATCandidate(address, name_of(fit), fit.r2, fit.form.complexity)
