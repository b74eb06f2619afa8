"""A safe symbol for every column name, so that any table can become a formula.

A column may be called "Länge (m)", "α", "lambda", "2nd run" or "🌡". A formula needs a name that every target language accepts:
ASCII, no keyword, no function of our expression language. The rules, in this order:

1. a name that is fine stays as it is:            Girth -> Girth, N -> N, beta -> beta
2. letters are spelled in ASCII:                  α -> alpha, Länge (m) -> Lange_m, x₁ -> x1
3. a leading digit gets an x, an empty name is x: 2nd run -> x2nd_run
4. a name with another meaning gets a "_":        lambda -> lambda_, exp -> exp_, pi -> pi_
5. a symbol that is taken gets a number:          a b, a-b -> a_b, a_b_2

The symbol is for formulas only. The column keeps its own name, and every export can give it back.
"""

from __future__ import annotations

import itertools
import keyword
import re
import unicodedata
from collections.abc import Sequence

# Names with a meaning of their own in workbench.expression: its two constants and its functions.
CONSTANTS = frozenset({"pi", "e"})
FUNCTIONS = frozenset(
    "add mul pow exp expm1 log log1p log2 log10 ln sqrt cbrt abs fabs sign sgn erf sin cos tan asin acos atan sinh cosh tanh asinh acosh "
    "atanh arcsin arccos arctan arcsinh arccosh arctanh arsin arcos artan arsinh arcosh artanh".split()
)
RESERVED = CONSTANTS | FUNCTIONS | frozenset(keyword.kwlist)

_FINE = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")
_EDGE_NAME = re.compile(r"phi(_\d+){3,4}")  # phi_0_2_1 names an edge that is not symbolic yet, phi_0_2_1_1 one of a second group
_LONGEST = 40  # characters of a symbol that we spell ourselves

# Where the Unicode name of a character is not what a scientist calls it.
_SPOKEN = {"λ": "lambda", "Λ": "Lambda", "ß": "ss", "°": "deg", "%": "percent", "#": "number", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
_SPOKEN |= {"æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "đ": "d", "ı": "i", "∂": "d", "∆": "Delta", "∇": "nabla", "ς": "sigma"}


def safe_symbols(names: Sequence[str]) -> tuple[str, ...]:
    """Return one symbol for each name: ASCII identifiers, all different, none with another meaning.

    Parameters
    ----------
    names : the column names, in table order. Fine names get themselves first, so they never lose to a spelled one.

    >>> safe_symbols(["Girth", "α", "lambda", "Länge (m)", "2nd run", "", "a b", "a-b"])
    ('Girth', 'alpha', 'lambda_', 'Lange_m', 'x2nd_run', 'x', 'a_b', 'a_b_2')
    """
    symbols: list[str | None] = [None] * len(names)
    taken: set[str] = set()
    for position, name in enumerate(names):
        if _is_fine(name) and name not in taken:
            symbols[position] = name
            taken.add(name)
    for position, name in enumerate(names):
        if symbols[position] is None:
            free = symbols[position] = _free(_spell(name), taken)
            taken.add(free)
    return tuple(symbol for symbol in symbols if symbol is not None)


def _is_fine(name: str) -> bool:
    return bool(_FINE.fullmatch(name)) and name not in RESERVED and not _EDGE_NAME.fullmatch(name)


def _free(symbol: str, taken: set[str]) -> str:
    """Return the symbol, with a "_" where it has another meaning and the first free number where it is taken."""
    if not _is_fine(symbol):
        symbol = f"{symbol}_"
    numbered = (f"{symbol.rstrip('_')}_{number}" for number in itertools.count(2))
    return next(candidate for candidate in itertools.chain([symbol], numbered) if candidate not in taken and _is_fine(candidate))


def _spell(name: str) -> str:
    """Spell a name in ASCII letters, digits and single underscores."""
    spelled = "".join(_spell_character(character) for character in unicodedata.normalize("NFKD", name))
    words = re.sub(r"[^A-Za-z0-9]+", "_", spelled).strip("_")[:_LONGEST].rstrip("_")
    if not words:
        return "x"
    return f"x{words}" if words[0].isdigit() else words


def _spell_character(character: str) -> str:
    if character.isascii() and character not in _SPOKEN:
        return character
    if unicodedata.combining(character):
        return ""  # é was decomposed into e and an accent
    if character in _SPOKEN:
        spoken = _SPOKEN[character]
        return spoken if len(spoken) <= 2 else f"_{spoken}_"
    return f"_{_spoken_name(character)}_"


def _spoken_name(character: str) -> str:
    """Return what Unicode calls a character, without its alphabet: GREEK SMALL LETTER ALPHA -> alpha."""
    name = unicodedata.name(character, "")
    if "IDEOGRAPH" in name or not name:
        return f"u{ord(character):X}"
    alphabet, is_letter, letter = name.partition(" LETTER ")
    if not is_letter:
        return name.lower()
    return letter.capitalize() if "CAPITAL" in alphabet else letter.lower()
