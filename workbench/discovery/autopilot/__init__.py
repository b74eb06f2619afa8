"""The autopilot: the moves a person would make, made by the machine.

    searching, proposals    search for whole formulas: what the engines propose becomes a network
    scales                  values or logarithms
    outliers                a law that all rows follow but a few that are far off
    shapes, rivals          for every shape, simplest first: fit, eliminate, snap edge by edge, refit; and laws that these data cannot tell from it
    known                   a part of the law that a person knows
    findings                what was found, and how short a description of the rows each formula is
    front, verdict          which of them stay, which one is picked, and what it is worth
    course, pilot           the time there is, who listens, and the order of it all

Every path is kept as a branch of one discovery, so that it can be opened, stepped through, undone and continued.
"""
