"""Does the command line find the law? Judged from outside, on tables drawn from formulas that are known.

    python -m benchmarks.recovery feynman_dev --time-budget 60                     one seed on all
    python -m benchmarks.recovery feynman_dev --time-budget 60 --seeds 3 --every 5     three on every fifth; what is there already is not run again
    python -m benchmarks.recovery noise --time-budget 20                           twenty tables without any law
    python -m benchmarks.recovery samples --time-budget 30                         the ten real samples
    python -m benchmarks.recovery                                                  only write benchmarks/RECOVERY.md again

    table  ->  `kan-workbench discover ... --json` in a process of its own  ->  verdicts  ->  a line of JSON  ->  benchmarks/RECOVERY.md

Verdicts are kept apart, for the picked formula and for the whole front:

- fit: R2 > .999 on clean test points. A good fit is no recovered law.
- numeric: the same values, to a millionth of the spread, in the box and, where the truth is finite, in the box widened by half.
- skeleton: the same after all constants of the found formula were freed and fitted to the clean truth, and none of them vanished.
- symbolic: SymPy proves the difference to be zero, in a process that can be killed; what it cannot prove is "undecided", never "no".

Recovered means numeric or skeleton, by a formula that is not out of proportion to the truth: a long rational can imitate a sine to a millionth.
"""
