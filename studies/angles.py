"""Angles of rules to the gradient: ``python studies/angles.py [PROTOCOL]``.

Trains the networks, tasks and optimizer of a protocol under feedback alignment and rules whose
backward weights learn. The default protocol is quickstart.yaml (under a minute);
kunin2020_depth.yaml takes four minutes. Prints the angle at the end of training between the update
of the forward weights and the gradient of the loss.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from virtuallab.protocol import expand, read
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.outcome import Visit
from virtuallab.subject.training.trainer import train

PROTOCOL = Path(__file__).parent.parent / "protocols" / "quickstart.yaml"
REPLICATES = 16
RULES = (
    "feedback_alignment",
    "{name: information_alignment, label: information_alignment_default}",
    "{name: information_alignment, amp: 0.1, 'null': 0.02, decay: 0.05}",
    "{name: weight_mirror, equal: updates}",
    "symmetric_alignment",
)


def subjects(protocol: Path = PROTOCOL) -> tuple[Subject, ...]:
    """Subjects with the settings of a protocol and these rules."""
    overrides = [f"subjects.rules=[{', '.join(RULES)}]", f"subjects.replicates={REPLICATES}"]
    return expand(read(protocol, [*overrides, "analyses={}"]))


def at_the_end(cohort: Sequence[Subject]) -> Visit:
    """Train subjects of one architecture together."""
    seen: list[Visit] = []
    train(Cohort(tuple(cohort)), [0, cohort[0].steps], seen.append)
    return seen[-1]


def spelt(angles: np.ndarray) -> str:
    """Mean over subjects with its 95 % interval."""
    kept = angles[np.isfinite(angles)]
    return f"{kept.mean():.0f} ± {1.96 * kept.std(ddof=1) / len(kept) ** 0.5:.0f}"


def network(subject: Subject) -> str:
    """Name of a subject's network, with its depth if it has one."""
    depth = getattr(subject.architecture, "depth", None)
    return f"{subject.architecture.name}{'' if depth is None else f', {depth} convolutions'}"


def main(protocol: Path) -> None:
    """Print the table."""
    groups: dict[tuple[str, str], list[Subject]] = {}
    for subject in subjects(protocol):
        groups.setdefault((network(subject), subject.label), []).append(subject)
    print("| network | rule | all parameters | hidden layers | accuracy | diverged |")
    print("| --- | --- | --- | --- | --- | --- |")
    for (name, label), members in groups.items():
        truth = at_the_end(members).evaluation
        accuracy = truth["validation_performance"]
        hidden = truth["gradient_angle"][:, :-1].mean(1)
        print(
            f"| {name} | {label.replace('_', ' ')} | {spelt(truth['total_gradient_angle'])} "
            f"| {spelt(hidden)} | {np.nanmean(accuracy):.3f} | {np.isnan(accuracy).sum()} |",
            flush=True,
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]) if sys.argv[1:] else PROTOCOL)
