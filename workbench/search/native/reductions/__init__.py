"""Reductions: a state of many columns led back to states of fewer, by what a smooth surrogate or the units say of it."""
