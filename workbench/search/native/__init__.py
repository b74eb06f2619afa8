"""The native engine: deterministic screens and reductions, in NumPy alone.

    state       a reduced problem: y = shell(h(u_1, ..., u_k))
    screens     power laws, products, sums of monomials, polynomials, ratios, forms of one variable: what h may be
    spans       exact laws with functions of one or two columns, by linear algebra alone; noise ends them at once
    inner_sums  a sum of two power laws inside a power or a logarithm, by variable projection
    groups      what units leave of a problem: a monomial times a function of pure numbers
    splits, separable   a law in two parts: one is named, and what that leaves is searched for the other
    transformed a law whose logarithm, reciprocal or logit is simpler than itself, and what is left of one that changes its sign with a factor
    moves       symmetries, factors, pairs, terms: how a state becomes a smaller one
    judge       polishes every whole candidate on the original rows and weighs error against length
    shortening  what is superfluous in a good candidate goes, and its neighbours are tried in its place
    gathering, factoring, squares, unwinding, phases    the same law in fewer words
    engine      the order of it all
    partner     the second part of that order, in a process of its own
"""

from workbench.search.native.engine import NativeEngine

__all__ = ["NativeEngine"]
