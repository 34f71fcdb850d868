"""Whether a rule can be used in a network, with a loss and with optimizers."""

from __future__ import annotations

from torch import nn

from virtuallab.subject.architecture import Architecture
from virtuallab.subject.network.initialization import template_network
from virtuallab.subject.rule import Rule
from virtuallab.subject.subject import Subject, plugin_settings
from virtuallab.subject.task import Task
from virtuallab.vocabulary import CROSS_ENTROPY

_MAY_DIFFER = ("noise", "noise_fraction")  # between weights that receive the same steps


def optimizer_incompatibility(subject: Subject) -> str | None:
    """Why forward and backward weights would not receive the same steps, if the rule needs it.

    Parameters
    ----------
    subject : Subject

    Returns
    -------
    str or None
        A message; None if they do, or if the rule does not need it.
    """
    forward, own = subject.optimizer, subject.feedback_optimizer
    if own is None or not subject.rule.shares_decay:
        return None
    mine, theirs = plugin_settings(subject.backward_optimizer), plugin_settings(forward)
    if decay := plugin_settings(own).get("weight_decay"):  # 0 stands for that of forward weights
        mine["weight_decay"] = decay
    differing = [k for k in mine if k not in _MAY_DIFFER and mine[k] != theirs.get(k)]
    if not differing:
        return None
    return (
        f"rule {subject.rule.name!r} with 'matched: true' gives both weights the same steps and "
        f"decay; feedback_optimizer differs from optimizer in {', '.join(differing)}. Leave it "
        "out, let it differ in its noise alone, or write 'matched: false'."
    )


def incompatibility(
    rule: Rule, architecture: Architecture, task: Task, loss: str = CROSS_ENTROPY
) -> str | None:
    """Why these networks cannot learn by this rule with this loss; None if they can.

    Parameters
    ----------
    rule : Rule
    architecture : Architecture
    task : Task
    loss : str
        Name of a loss.

    Returns
    -------
    str or None
    """
    if message := rule.loss_incompatibility(loss):
        return message
    if not rule.dense_only:
        return None
    for name, module in template_network(architecture, task).named_modules():
        if isinstance(module, nn.Conv2d):
            return (
                f"rule {rule.name!r} is defined for dense layers; {name!r} of "
                f"{architecture.name} is a convolution. Use an architecture like mlp."
            )
    return None
