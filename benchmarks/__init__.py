"""Every speed figure that README quotes, each measured against its peer in the same run.

    python -m benchmarks                     all groups; the table is written to benchmarks/RESULTS.md
    python -m benchmarks spline_layer        some groups; the rows of the others stay as "not measured"

A group is a module with its rows, `PLAN`, and a function `rows(bench)` that fills them. Whatever is timed runs on one core, with one thread of linear algebra, and
the two sides of a comparison take turns where both are short, so that a machine that is slow for a minute is slow for both. A row that cannot be measured says why.
"""
