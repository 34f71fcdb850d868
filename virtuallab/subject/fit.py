"""Whether a rule can be carried out in a network."""

from __future__ import annotations

from torch import nn

from virtuallab.subject.architecture import Architecture
from virtuallab.subject.birth import skeleton
from virtuallab.subject.rule import Rule
from virtuallab.subject.task import Task


def misfit(rule: Rule, architecture: Architecture, task: Task) -> str | None:
    """Say why these networks cannot learn by this rule; None where they can."""
    if not rule.dense_only:
        return None
    for name, module in skeleton(architecture, task).named_modules():
        if isinstance(module, nn.Conv2d):
            return (
                f"rule {rule.name!r} is defined for dense layers; {name!r} of "
                f"{architecture.name} is a convolution. Use an architecture like mlp."
            )
    return None
