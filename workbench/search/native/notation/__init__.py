"""Notation: one law written in the shortest of the ways that mean the same."""
