"""Judging: candidates polished on the rows, their constants made exact, and weighed by length and error."""
