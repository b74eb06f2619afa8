"""The native engine: deterministic screens and reductions, in NumPy alone.

    state           a reduced problem y = shell(h(u_1, ..., u_k)); monomials: products of powers of its columns
    surrogate, transforms    a smooth stand-in for its target, and the transforms under which that is simpler
    notation        the same law in fewer words
    judging         every whole candidate polished on the original rows, its constants made exact, its error weighed against its length
    screens         what h may be: power laws, products, sums of monomials, polynomials, ratios, forms of one variable
    reductions      how a state becomes a smaller one: units, symmetries, factors, pairs, splits, transforms
    revisions       formulas that come close, changed in one place at a time
    beam, engine    the order of it all;  partner: the second part of that order, in a process of its own
"""

from workbench.search.native.engine import NativeEngine

__all__ = ["NativeEngine"]
