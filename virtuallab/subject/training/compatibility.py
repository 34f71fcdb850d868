"""Compatibility of a rule with a network, a loss and optimizers."""

from __future__ import annotations

from torch import nn

from virtuallab.fields import plugin_data
from virtuallab.subject.architecture import Architecture
from virtuallab.subject.network.initialization import template_network
from virtuallab.subject.rule import Rule
from virtuallab.subject.subject import Subject
from virtuallab.subject.task import Task
from virtuallab.vocabulary import CROSS_ENTROPY

_MAY_DIFFER = ("noise", "noise_fraction")  # between optimizers that apply the same steps


def optimizer_incompatibility(subject: Subject) -> str | None:
    """Error message if the rule needs equal steps of both weights and the optimizers differ."""
    if subject.feedback_optimizer is None or not subject.rule.shares_decay:
        return None
    forward = plugin_data(subject.optimizer)
    backward = plugin_data(subject.backward_optimizer)
    if decay := plugin_data(subject.feedback_optimizer).get("weight_decay"):
        backward["weight_decay"] = decay  # 0 stands for the decay of the forward weights
    differing = [k for k in backward if k not in _MAY_DIFFER and backward[k] != forward.get(k)]
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
    """Error message if networks of the architecture cannot learn by the rule with the loss."""
    if message := _task_incompatibility(rule, task) or rule.loss_incompatibility(loss):
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


def _task_incompatibility(rule: Rule, task: Task) -> str | None:
    """Error message if the rule uses what the task's images do not have."""
    if rule.needs_classes and task.targets != "classes":
        return (
            f"rule {rule.name!r} uses the class of each image, and task {task.name!r} is learned "
            "without classes. Use a classification task or another rule."
        )
    if rule.needs_own_loss and task.targets == "views":
        return (
            f"rule {rule.name!r} follows the loss of each image, which in task {task.name!r} "
            "depends on the other images of the batch. Use another task or another rule."
        )
    return None
