"""Checks of types and shapes at run time, in all tests.

Arguments and results of the functions and methods of virtuallab are compared with their
annotations, by jaxtyping and beartype. Functions inside functions are left out: they are made
anew at each call, and so would their checks be, which took two thirds of the time of training.
"""

from __future__ import annotations

import ast

from beartype import beartype  # noqa: F401  # found by its name below
from jaxtyping import _import_hook, install_import_hook


class _OuterFunctions(_import_hook.JaxtypingTransformer):
    """Adds checks to functions that are not inside of others."""

    _inside = False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Add checks to a function, and to none inside of it."""
        if not self._inside:
            self._inside = True
            super().visit_FunctionDef(node)
            self._inside = False
        return node


def install_type_checks() -> None:
    """Add checks to all modules of virtuallab that are imported from now on."""
    _import_hook.JaxtypingTransformer = _OuterFunctions
    # By this name, and not that of beartype itself: code is cached by it.
    install_import_hook("virtuallab", f"{__name__}.beartype")
