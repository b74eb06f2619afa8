'''A transformer as plain torch: a Python file that needs torch alone, and its numbers as a safetensors file. Nothing is pickled.

The file spells out every class and every function that has a name, with the constants it was exported with in a comment. Weights carry the names of the
file's own modules, and whoever loads them can train on: constants of named functions are parameters like all others.
'''

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
from safetensors.numpy import save

from workbench.activations import KATReading
from workbench.activations.candidates import text_of
from workbench.exceptions import ExportError
from workbench.export.source import clean
from workbench.expression import Call, Constant, Expression, Number, Symbol, parse, symbols
from workbench.expression.evaluation import evaluate
from workbench.figures.functions import function_label
from workbench.networks.kat import KAT, Columns, Patches
from workbench.networks.kat.snapped import SnappedRational
from workbench.primitives import Form, PrimitiveForm

_TEMPLATE = "torch_module.txt"
_LINE = 100
_IN_ONE_STROKE = {
    "x": "z", "relu": "functional.relu(z)", "gelu": "functional.gelu(z)", "silu": "functional.silu(z)", "logistic": "torch.sigmoid(z)",
    "softplus": "functional.softplus(z)", "tanh": "torch.tanh(z)", "sech": "2*torch.exp(-z.abs())/(1 + torch.exp(-2*z.abs()))",
    "sech^2": "1 - torch.tanh(z)**2",
}  # fmt: skip
_DENOMINATORS = {
    "sum_abs": ("1 + |b_1 x| + |b_2 x^2| + ...", "1 + sum((b * x**j).abs() for j, b in enumerate(self.b, start=1))"),
    "abs_sum": ("1 + |b_1 x + b_2 x^2 + ...|", "1 + sum(b * x**j for j, b in enumerate(self.b, start=1)).abs()"),
    "square": ("1 + (b_1 x + b_2 x^2 + ...)^2", "1 + sum(b * x**j for j, b in enumerate(self.b, start=1))**2"),
}


@dataclass(frozen=True)
class TorchModule:
    """A Python file and the weights that belong to it."""

    code: str
    weights: bytes


def write(reading: KATReading, about: Sequence[str], classes: Sequence[object] = (), inputs: Sequence[str] = ()) -> TorchModule:
    """Return a transformer of ours as a Python file and its weights.

    Parameters
    ----------
    reading : the model as far as it has been named
    about : lines for the head of the file, plain text
    classes : labels of the outputs, in order
    inputs : names of the columns, in order; for images, of the pixels row by row

    Raises
    ------
    ExportError : the model is not one of ours; `reading.to_torch()` hands it back as it came
    """
    module = reading.module
    if not isinstance(module, KAT) or not isinstance(module.config.tokens, Columns | Patches):
        raise ExportError(f"A model of the class {type(module).__name__} is no KAT on a table or images: take reading.to_torch(), which is the model itself.")
    functions = [function for function in reading.functions if function.name is not None]
    written = "\n\n".join(_function(function.address, function.name.form, text_of(function.name), function.n_channels) for function in functions)
    config, (words, denominator) = module.config, _DENOMINATORS[module.config.form]
    places = {
        "ABOUT": "\n".join(f"# {part}".rstrip() for line in about for part in textwrap.wrap(clean(line), _LINE) or [""]),
        "FUNCTIONS": f"{written}\n\n\n" if written else "",
        "CLASSES": repr([label if isinstance(label, int | float | bool) else str(label) for label in classes]),
        "INPUTS": repr([str(name) for name in inputs]),
        "DENOMINATOR_WORDS": words,
        "DENOMINATOR": denominator,
        "EMBEDDING": _embedding(config.tokens),
        "INPUT_SHAPE": repr(config.tokens.shape),
        "WIDTH": str(config.width), "DEPTH": str(config.depth), "HEADS": str(config.n_heads), "EXPANSION": str(config.expansion),
        "OUTPUTS": str(config.n_outputs), "TOKENS": str(config.tokens.n_tokens), "POSITIONS": str(module.pos_embed is not None),
        "ACTIVATIONS": _activations(reading),
    }  # fmt: skip
    text = resources.files("workbench.export").joinpath(_TEMPLATE).read_text(encoding="utf-8")
    for name, value in places.items():
        text = text.replace(f"@{name}@", value)
    return TorchModule(text, save(dict(_weights(module))))


def _embedding(tokens: Columns | Patches) -> str:
    if isinstance(tokens, Columns):
        return f"ColumnEmbedding({tokens.n_columns}, WIDTH)"
    return f"PatchEmbedding({tokens.channels}, {tokens.size}, WIDTH)"


def _symbol(address: tuple[str, int]) -> str:
    path, group = address
    return f"{path.replace('.', '_')}_{group}"


def _function(address: tuple[str, int], form: Form, text: str, n_channels: int) -> str:
    """Return a named function as Python, its constants in c."""
    return (
        f"def {_symbol(address)}(x, c):\n"
        f"    # {clean(function_label(address))}, {n_channels} channels; as exported: {clean(text)}\n"
        f"    return {_body(form)} + c[{len(form.parameter_names)}]"
    )


def _body(form: Form) -> str:
    if isinstance(form, PrimitiveForm):
        z = "c[1]*x + c[2]"
        if form.name in _IN_ONE_STROKE:
            return f"c[0]*(lambda z: {_IN_ONE_STROKE[form.name]})({z})"
        shape = {shape.name: f"c[{3 + k}]" for k, shape in enumerate(form.primitive.shape)}
        return f"c[0]*without_holes(lambda z: {in_torch(form.primitive.expression, {**shape, 'z': 'z'})}, {z})"
    names = {name: f"c[{k}]" for k, name in enumerate(form.parameter_names)}
    return f"without_holes(lambda z: {in_torch(parse(form.name), {**names, 'x': 'z'})}, x)"


def in_torch(tree: Expression, names: Mapping[str, str]) -> str:
    """Return an expression as Python on torch tensors.

    >>> in_torch(parse("p*exp(-z**2) + sqrt(2)"), {"p": "c[3]", "z": "z"})
    '((c[3]*torch.exp((-1*(z**2)))) + 1.4142135623730951)'
    """
    if not symbols(tree):
        return repr(tree.value) if isinstance(tree, Number) and isinstance(tree.value, int) else repr(float(evaluate(tree, {})))
    match tree:
        case Symbol(name=name):
            return names[name]
        case Call(function="add", arguments=terms):
            return f"({' + '.join(in_torch(term, names) for term in terms)})"
        case Call(function="mul", arguments=factors):
            return f"({'*'.join(in_torch(factor, names) for factor in factors)})"
        case Call(function="pow", arguments=(base, exponent)):
            power = in_torch(exponent, names)
            return f"({in_torch(base, names)}**{f'({power})' if power.startswith('-') else power})"
        case Call(function="cbrt", arguments=(argument,)):
            inner = in_torch(argument, names)
            return f"(torch.sign({inner})*torch.abs({inner})**(1/3))"
        case Call(function=function, arguments=(argument,)):
            return f"torch.{function}({in_torch(argument, names)})"
        case Number() | Constant():
            pass
    raise ExportError(f"{tree} has no translation to torch.")


def _activations(reading: KATReading) -> str:
    """Return the functions of every activation as Python: named ones by their names, the others by their degrees."""
    lines = []
    for path, place in reading.places.items():
        own = []
        for function in reading.functions:
            if function.address[0] != path:
                continue
            if function.name is not None:
                own.append(f"Named({_symbol(function.address)}, {len(function.name.constants)})")
            else:
                a, b = place.coefficients
                own.append(f"Rational({a.shape[1] - 1}, {b.shape[1]})")
        lines.append(f'    "{path}": lambda: Activation({", ".join(own)}),')
    return "\n".join(lines)


def _weights(module: KAT) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the numbers of a model under the names of the written file, those of activations function by function."""
    activations = {path: part for path, part in module.named_modules() if isinstance(part, SnappedRational) or hasattr(part, "weight_numerator")}
    outer = {path: part for path, part in activations.items() if not any(path.startswith(f"{other}.") for other in activations)}
    for name, values in module.state_dict().items():
        if not any(name.startswith(f"{path}.") for path in outer):
            yield name, values.detach().cpu().numpy().copy()
    for path, part in outer.items():
        named = part.constants if isinstance(part, SnappedRational) else {}
        rational = part.rational if isinstance(part, SnappedRational) else part
        for group in range(part.n_groups):
            own = f"{path}.functions.{group}"
            if str(group) in named:
                yield f"{own}.c", named[str(group)].detach().cpu().numpy().copy()
            else:
                a, b = rational.weight_numerator.detach(), rational.weight_denominator.detach()
                yield f"{own}.a", a[min(group, len(a) - 1)].cpu().numpy().copy()
                yield f"{own}.b", b[group].cpu().numpy().copy()
