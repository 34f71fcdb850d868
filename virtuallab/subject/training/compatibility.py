"""Whether a rule can be carried out in a network, with a loss, by these optimizers."""

from __future__ import annotations

from torch import nn

from virtuallab.subject.architecture import Architecture
from virtuallab.subject.network.initialization import skeleton
from virtuallab.subject.rule import Rule
from virtuallab.subject.subject import Subject, named
from virtuallab.subject.task import Task
from virtuallab.vocabulary import CROSS_ENTROPY

_FREE = ("noise", "noise_fraction")  # what may differ between weights that share their steps


def unmatched(subject: Subject) -> str | None:
    """Return why forward and backward weights would not get the same steps, which the rule needs.

    Parameters
    ----------
    subject : Subject

    Returns
    -------
    str or None
        None where they do, or where the rule does not need it.
    """
    forward, own = subject.optimizer, subject.feedback_optimizer
    if own is None or not subject.rule.shares_decay:
        return None
    mine, theirs = named(subject.backward_optimizer), named(forward)
    if decay := named(own).get("weight_decay"):  # 0 stands for the forward weights' own
        mine["weight_decay"] = decay
    compared = [key for key in mine if key not in _FREE]
    differing = [key for key in compared if mine[key] != theirs.get(key)]
    if not differing:
        return None
    return (
        f"rule {subject.rule.name!r} with 'matched: true' gives both weights the same steps and "
        f"decay; feedback_optimizer differs from optimizer in {', '.join(differing)}. Leave it "
        "out, let it differ in its noise alone, or write 'matched: false'."
    )


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
