"""Whether types and shapes are checked in tests."""

from __future__ import annotations

import ast

import jaxtyping
import numpy as np
import pytest
from jaxtyping._import_hook import JaxtypingTransformer, Typechecker

from virtuallab.decoder.uncertainty.intervals import balanced_accuracy
from virtuallab.text import brief

NESTED = """
def outer():
    def inner(): ...
    class Local:
        def inner_method(self): ...

class Each:
    def method(self):
        def inner(): ...
"""


def test_an_argument_of_another_type_or_shape_is_refused() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        brief(7)  # type: ignore[arg-type]
    with pytest.raises(jaxtyping.TypeCheckError):
        balanced_accuracy(np.zeros(3))


def test_functions_inside_functions_are_not_checked() -> None:
    tree = JaxtypingTransformer(typechecker=Typechecker(None)).visit(ast.parse(NESTED))
    checked = {
        node.name: bool(node.decorator_list)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }
    assert checked == {"outer": True, "method": True, "inner": False, "inner_method": False}
