"""What the subjects learned and what a probe saw of them, as figures with their words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import xarray as xr

from virtuallab.labels import words
from virtuallab.report.figures import learning_curves, recorded_activity
from virtuallab.report.figures.common.captioned import Panel, Plate
from virtuallab.report.style import Look, pretty
from virtuallab.vocabulary import ACTIVITY, CROSS_ENTROPY, DONE, RULE, SUBJECT, UNIT, VISIT

Check = Callable[[str, int], None]  # of a node and the index of a subject; raises if damaged

_LEARNED = {"validation_accuracy": "accuracy", "validation_loss": "loss"}


def unchecked(node: str, subject: int) -> None:
    """Take a recording as it is."""


def learning_plate(tree: xr.DataTree, rule_looks: Mapping[str, Look]) -> Plate | None:
    """Accuracy and loss by rule, for each architecture, task and loss; None before training."""
    if "truth" not in tree.children or "validation_accuracy" not in tree["truth"]:
        return None
    subjects = tree["subjects"].to_dataset()
    done = (subjects["status"] == DONE).to_numpy()
    panels = []
    for (architecture, task, minimised), members in _learners(subjects):
        if not (members & done).any():
            continue
        for variable, quantity in _LEARNED.items():
            if variable not in tree["truth"]:
                continue
            values = tree["truth"][variable].load()
            values = values.assign_coords({RULE: (SUBJECT, words(subjects[RULE]))})
            chosen = values.isel({SUBJECT: members & done})
            usual = minimised == CROSS_ENTROPY
            learned = task if usual else f"{task}, {pretty(minimised)}"
            title = f"{architecture}, {learned}, {chosen.sizes[SUBJECT]} subjects"
            loss = quantity == "loss"
            figure = learning_curves.draw(
                chosen, rule_looks=rule_looks, title=title, loss=loss, unit="nat" if usual else ""
            )
            last = chosen.isel({VISIT: -1})
            ends = ", ".join(
                f"{pretty(rule)} {_written(float(last[words(last[RULE]) == rule].median()), loss)}"
                for rule in sorted(set(words(chosen[RULE])))
            )
            panels.append(
                Panel(
                    figure,
                    f"Validation {quantity} over training, {title}. Median at the end: {ends}.",
                )
            )
    caption = (
        "Validation accuracy and loss over training: median of the subjects of each rule, band "
        f"from the lower to the upper quartile; {int(done.sum())} subjects.{left_out(done)} Rules "
        "that learn at different speeds can be told apart by how far they are, whatever they do. "
        "No decoder sees this."
    )
    return Plate(tuple(panels), caption) if panels else None


def _learners(subjects: xr.Dataset) -> Iterator[tuple[tuple[str, str, str], np.ndarray]]:
    """Yield members of each architecture, task and loss; values of two losses do not compare."""
    if "loss" in subjects:
        losses = words(subjects["loss"])
    else:  # of a store made before there was a choice
        losses = np.full(subjects.sizes[SUBJECT], CROSS_ENTROPY, dtype=object)
    for (architecture, task), members in groups(subjects).items():
        for loss in sorted(set(losses[members])):
            yield (architecture, task, loss), members & (losses == loss)


def _written(value: float, loss: bool) -> str:
    return f"{value:.2f}" if loss else f"{value:.0%}"


def left_out(done: np.ndarray) -> str:
    """Say how many subjects a figure of those done does not show; nothing where it shows all."""
    lost = int((~done).sum())
    return f" {lost} that diverged, failed or are pending are left out." if lost else ""


def activity_plate(
    tree: xr.DataTree, preferred: Sequence[str] = (), check: Check = unchecked
) -> Plate | None:
    """Show what one probe sees of the first subject of each rule; None where nothing is kept.

    Only these subjects' recordings are read.

    Parameters
    ----------
    tree : xr.DataTree
    preferred : sequence of str
        Probes to show rather than others; the first that kept its recordings is taken.
    check : callable, optional
        Called with the node and the index of a subject before its recording is read; raises if the
        recording is damaged.
    """
    place = _recordings(tree, preferred)
    if place is None:
        return None
    probe, architecture = place
    path = f"recordings/{probe}/{architecture}"
    node = tree[path].to_dataset()
    subjects = tree["subjects"].to_dataset()
    status, rules = subjects["status"].to_numpy(), words(subjects[RULE])
    panels = []
    for rule in sorted(set(rules)):
        shown = _first_recorded(
            node, np.flatnonzero((rules == rule) & (status == DONE)), partial(check, path)
        )
        if shown is None:
            continue
        name = str(shown[SUBJECT].item())
        figure = recorded_activity.draw(shown, title=f"{pretty(rule)}, {name}")
        panels.append(
            Panel(
                figure,
                f"Heat map of {shown.sizes[UNIT]} units against {shown.sizes['stimulus']} stimuli "
                f"in {name}, which learned by {pretty(rule)}, at the first and the last visit.",
            )
        )
    caption = (
        f"What the probe “{probe}” recorded in {architecture}: the first subject of each rule "
        f"({len(panels)} subjects). A row is a unit, a column a stimulus; each layer is scaled to "
        "its own largest response, the same before and after."
    )
    return Plate(tuple(panels), caption) if panels else None


def groups(subjects: xr.Dataset) -> dict[tuple[str, str], np.ndarray]:
    """Members of each pair of architecture and task, as masks over subjects."""
    architectures = words(subjects["architecture"])
    tasks = words(subjects["task"])
    pairs = sorted(set(zip(architectures, tasks, strict=True)))
    return {(a, t): (architectures == a) & (tasks == t) for a, t in pairs}


def _recordings(tree: xr.DataTree, preferred: Sequence[str]) -> tuple[str, str] | None:
    """Pick a probe that kept what it saw of activity, the preferred first, and where."""
    if "recordings" not in tree.children:
        return None
    kept = tree["recordings"].children
    for probe in dict.fromkeys([name for name in preferred if name in kept] + sorted(kept)):
        for architecture in sorted(kept[probe].children):
            if ACTIVITY in kept[probe][architecture]:
                return probe, architecture
    return None


def _first_recorded(
    node: xr.Dataset, candidates: np.ndarray, inspect: Callable[[int], None]
) -> xr.DataArray | None:
    """Return responses of the first of these subjects that the node holds, its labels as coords."""
    for index in candidates:
        inspect(int(index))
        seen = node.isel({SUBJECT: int(index)})
        values = seen[ACTIVITY].load()
        if not np.isfinite(values.to_numpy()).any():
            continue
        labels = {
            name: seen[name].load()
            for name in ("unit_layer", "stimulus_label")
            if name in seen.variables
        }
        return values.assign_coords(labels)
    return None
