"""Names of the choices of references that are compared; see `decoder/schemes/referenced.py`."""

from __future__ import annotations

from typing import Final

FEW: Final = 10
NO_REFERENCES: Final = "none"
ALL_RULES, FEW_RULES = "all rules", f"{FEW} of all rules"
OWN_RULE, MOSTLY_OWN_RULE = "its own rule", "four of five of its own rule"


def one_rule(rule: str) -> str:
    """Name of the choice of references of one rule."""
    return f"one rule: {rule}"
