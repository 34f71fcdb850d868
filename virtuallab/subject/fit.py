"""Whether a rule can be carried out in a network, with a loss."""

from __future__ import annotations

from torch import nn

from virtuallab.subject.architecture import Architecture
from virtuallab.subject.birth import skeleton
from virtuallab.subject.rule import Rule
from virtuallab.subject.task import Task
from virtuallab.vocabulary import CROSS_ENTROPY


def misfit(
    rule: Rule, architecture: Architecture, task: Task, loss: str = CROSS_ENTROPY
) -> str | None:
    """Say why these networks cannot learn by this rule and this loss; None where they can."""
    if objection := rule.objection(loss):
        return objection
    if not rule.dense_only:
        return None
    for name, module in skeleton(architecture, task).named_modules():
        if isinstance(module, nn.Conv2d):
            return (
                f"rule {rule.name!r} is defined for dense layers; {name!r} of "
                f"{architecture.name} is a convolution. Use an architecture like mlp."
            )
    return None
