"""What the subjects learned and what a probe saw of them, as figures with their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from virtuallab.report.figures import learning_curves, recorded_activity
from virtuallab.report.plate import Panel, Plate
from virtuallab.report.style import Look, pretty
from virtuallab.report.words import words
from virtuallab.vocabulary import ACTIVITY, DONE, RULE, SUBJECT, UNIT, VISIT


def learning_plate(tree: xr.DataTree, rule_looks: Mapping[str, Look]) -> Plate | None:
    """Learning curves by rule, a panel for each architecture and task; None before training."""
    if "truth" not in tree.children or "validation_accuracy" not in tree["truth"]:
        return None
    subjects = tree["subjects"].to_dataset()
    values = tree["truth"]["validation_accuracy"].load()
    values = values.assign_coords({RULE: (SUBJECT, words(subjects[RULE]))})
    done = (subjects["status"] == DONE).to_numpy()
    panels = []
    for (architecture, task), members in _groups(subjects).items():
        chosen = values.isel({SUBJECT: members & done})
        if not chosen.sizes[SUBJECT]:
            continue
        title = f"{architecture}, {task}, {chosen.sizes[SUBJECT]} subjects"
        figure = learning_curves.draw(chosen, rule_looks=rule_looks, title=title)
        last = chosen.isel({VISIT: -1})
        ends = ", ".join(
            f"{pretty(rule)} {float(last[(last[RULE] == rule).to_numpy()].median()):.0%}"
            for rule in sorted(set(words(chosen[RULE])))
        )
        panels.append(
            Panel(figure, f"Validation accuracy over training, {title}. Median at the end: {ends}.")
        )
    lost = int((~done).sum())
    left_out = f" {lost} that diverged, failed or are pending are left out." if lost else ""
    caption = (
        "Validation accuracy over training: median of the subjects of each rule, band from the "
        f"lower to the upper quartile; {int(done.sum())} subjects.{left_out} No decoder sees this."
    )
    return Plate(tuple(panels), caption) if panels else None


def activity_plate(tree: xr.DataTree, preferred: Sequence[str] = ()) -> Plate | None:
    """Show what one probe sees of the first subject of each rule; None where nothing is kept.

    Only these subjects' recordings are read.

    Parameters
    ----------
    tree : xr.DataTree
    preferred : sequence of str
        Probes to show rather than others; the first that kept its recordings is taken.
    """
    place = _recordings(tree, preferred)
    if place is None:
        return None
    probe, architecture = place
    node = tree[f"recordings/{probe}/{architecture}"].to_dataset()
    subjects = tree["subjects"].to_dataset()
    status, rules = subjects["status"].to_numpy(), words(subjects[RULE])
    panels = []
    for rule in sorted(set(rules)):
        shown = _first_recorded(node, np.flatnonzero((rules == rule) & (status == DONE)))
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


def _groups(subjects: xr.Dataset) -> dict[tuple[str, str], np.ndarray]:
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


def _first_recorded(node: xr.Dataset, candidates: np.ndarray) -> xr.DataArray | None:
    """Return responses of the first of these subjects that the node holds, its labels as coords."""
    for index in candidates:
        seen = node.isel({SUBJECT: int(index)})
        values = seen[ACTIVITY].load()
        if not np.isfinite(values.to_numpy()).any():
            continue
        labels = {
            name: seen[name].load()
            for name in ("unit_layer", "stimulus_label")
            if name in seen.data_vars
        }
        return values.assign_coords(labels)
    return None
