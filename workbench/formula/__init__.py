"""Formulas: read from a network exactly, certified against it, evaluated, fitted, rounded and simplified."""

from workbench.formula.assembly import Quantity, assemble, edge_definition, edge_name, joined, variables
from workbench.formula.certificate import Certificate, certify
from workbench.formula.constants import ConstantInterval
from workbench.formula.formula import EXPORTERS, Formula, Input, Output, OutsideRangeWarning, Prediction
from workbench.formula.provenance import Part, parts
from workbench.formula.rounding import NiceFormula, Replacement
from workbench.formula.simplification import simplify

__all__ = [
    "EXPORTERS",
    "Certificate",
    "ConstantInterval",
    "Formula",
    "Input",
    "NiceFormula",
    "Output",
    "OutsideRangeWarning",
    "Part",
    "Prediction",
    "Quantity",
    "Replacement",
    "assemble",
    "certify",
    "edge_definition",
    "edge_name",
    "joined",
    "parts",
    "simplify",
    "variables",
]
