"""A transformer written as plain torch: the file is run in a process that never imports us, and gives the outputs of the model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from workbench.activations import open_kat
from workbench.exceptions import ExportError
from workbench.export import names
from workbench.export.torch_module import in_torch, write
from workbench.expression import evaluate, parse
from workbench.networks.kat import Columns, KATConfig, Patches, build
from workbench.primitives import ACTIVATIONS, LIBRARY

FORMS = [p.name for p in (*LIBRARY.values(), *ACTIVATIONS.values()) if p.domain == "any"]
PROGRAM = """
import sys, json, torch
sys.path.insert(0, {folder!r})
import kat
model = kat.load().double()
X = torch.tensor(json.loads(sys.stdin.read()), dtype=torch.float64)
outputs = model(X)
outputs.sum().backward()
trainable = [name for name, values in model.named_parameters() if values.grad is not None and ".functions." in name]
print(json.dumps({{"outputs": outputs.tolist(), "trainable": trainable, "ours": "workbench" in sys.modules, "classes": kat.CLASSES}}))
"""


def reading_of(tokens, form="sum_abs"):
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(90, *tokens.shape, generator=generator)
    module = build(KATConfig(tokens, 3, width=12, depth=1, n_heads=2, n_groups=3, form=form), generator, X)
    y = torch.randint(0, 3, (90,), generator=generator)
    return open_kat(module, X, y), X


def run(folder: Path, reading, X: torch.Tensor, **about) -> dict:
    written = write(reading, ["A model of a test."], **about)
    (folder / "kat.py").write_text(written.code, encoding="utf-8")
    (folder / "kat.safetensors").write_bytes(written.weights)
    program = PROGRAM.format(folder=str(folder))
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], input=json.dumps(X.tolist()), capture_output=True, text=True, check=True, cwd=folder)
    return json.loads(done.stdout)


@pytest.mark.parametrize(("tokens", "form"), [(Columns(5), "sum_abs"), (Patches(4, 6, 2), "abs_sum"), (Columns(5), "square")], ids=str)
def test_the_file_gives_the_outputs_of_the_model(tmp_path: Path, tokens, form: str) -> None:
    reading, X = reading_of(tokens, form)
    reading = reading.snap(("blocks.0.mlp.act2", 1), "gelu", epochs=0).snap(("blocks.0.mlp.act1", 0), "a*x + b*exp(-sqrt(2)*x**2)", epochs=0)
    told = run(tmp_path, reading, X[:7], classes=["a", 2, 'c"""\\'])
    assert_allclose(told["outputs"], reading.to_torch().double()(X[:7].double()).detach().numpy(), rtol=1e-9, atol=1e-9)
    assert told["classes"] == ["a", 2, 'c"""\\']
    assert not told["ours"]
    assert {"blocks.0.mlp.act2.functions.1.c", "blocks.0.mlp.act1.functions.0.c", "blocks.0.mlp.act1.functions.1.a"} <= set(told["trainable"])


def test_every_form_that_a_function_can_have_is_written_so_that_it_computes_it(tmp_path: Path) -> None:
    z = np.array([-3.0, -0.7, 0.0, 0.4, 2.5])
    for name in FORMS:
        primitive = LIBRARY.get(name) or ACTIVATIONS[name]
        shape = {parameter.name: 0.8 for parameter in primitive.shape}
        code = in_torch(primitive.expression, {"z": "z", **{key: str(value) for key, value in shape.items()}})
        with np.errstate(all="ignore"):
            truth = evaluate(primitive.expression, {"z": z, **shape})
        given = eval(code, {"torch": torch, "z": torch.tensor(z)}).numpy()
        at_zero = np.isnan(given)  # 0/0 there; the file takes the mean of both sides
        assert set(z[at_zero]) <= {0.0}, name
        assert_allclose(given[~at_zero], truth[~at_zero], rtol=1e-12, atol=1e-12, err_msg=name)


def test_text_from_a_table_stays_text(tmp_path: Path) -> None:
    reading, X = reading_of(Columns(5))
    evil = 'x"""\nimport os\n__import__("os").abort()#'
    written = write(reading, [evil, "\\"], [evil], [evil, "b", "c", "d", "e"])
    (tmp_path / "kat.py").write_text(written.code, encoding="utf-8")
    (tmp_path / "kat.safetensors").write_bytes(written.weights)
    code = "import kat; print(repr(kat.INPUTS[0]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == repr(evil)


def test_a_model_of_another_make_is_handed_back_by_itself() -> None:
    reading, X = reading_of(Columns(5))
    other = torch.nn.Sequential(torch.nn.Flatten(), reading.to_torch())
    with pytest.raises(ExportError, match=r"reading\.to_torch"):
        write(open_kat(other, X, torch.zeros(90, dtype=torch.long)), [])


def test_nested_powers_and_divisions_keep_their_order() -> None:
    for text in ("(z**2)**3", "z**(-2)", "2**z", "-z**2", "(z + 1)**2/(z - 4)", "1/(1 + z**2)**0.5"):
        z = np.array([0.5, 1.7, 2.2])
        given = eval(in_torch(parse(text), {"z": "z"}), {"torch": torch, "z": torch.tensor(z)}).numpy()
        assert_allclose(given, evaluate(parse(text), {"z": z}), rtol=1e-12)


def test_tables_of_the_names_hold_every_function_and_compute_it() -> None:
    reading, _ = reading_of(Columns(5))
    reading = reading.snap(("blocks.0.mlp.act2", 1), "gelu", epochs=0)
    functions = names.functions_of(reading)
    assert [function.name for function in functions] == ["", "", "", "", "gelu", ""]
    rows = names.to_csv(functions).splitlines()
    assert rows[0] == "place,activation,group,channels,name,function of x"
    assert rows[1].startswith('"block 1, first, group 1",blocks.0.mlp.act1,0,4,rational,')
    made: dict = {}
    exec(names.to_python(functions), made)
    ((address, (form, text, channels)),) = made["NAMES"].items()
    assert (address, form, channels) == (("blocks.0.mlp.act2", 1), "gelu", 16)
    name = reading.functions[4].name
    x = np.linspace(-2, 2, 7)
    assert_allclose(evaluate(parse(text), {"x": x}), name.form.evaluate(x, name.constants[:-1])[0] + name.constants[-1], rtol=1e-12)
    assert "| block 1, second, group 2 | 16 | gelu | `" in names.to_markdown(functions)
    assert r"\mathrm{gelu}\left(" in names.to_latex_table(functions)
