"""Revisions: formulas that describe the rows well, changed in one place at a time, until no change says more in fewer words."""
