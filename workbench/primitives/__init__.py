"""The forms an edge can snap to: one table of primitives, and forms that a person types.

    >>> from workbench.primitives import PrimitiveForm, find
    >>> value, slope = PrimitiveForm(find("x^2")).evaluate([1.0, 2.0], [3.0, 1.0, 0.0])
    >>> value.tolist(), slope.tolist()
    ([3.0, 12.0], [6.0, 12.0])
"""

from workbench.primitives.activations import ACTIVATIONS
from workbench.primitives.forms import Form, PrimitiveForm, TypedForm, form_from_json
from workbench.primitives.library import LIBRARY, find
from workbench.primitives.primitive import Primitive, Shape

__all__ = ["ACTIVATIONS", "LIBRARY", "Form", "Primitive", "PrimitiveForm", "Shape", "TypedForm", "find", "form_from_json"]
