"""Screens: forms that are tried at a state by linear algebra, each in milliseconds; order.py says in which order."""
