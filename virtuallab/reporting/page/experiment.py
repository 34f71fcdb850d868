"""Report of an experiment as a self-contained HTML page."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

import xarray as xr

from virtuallab.labels import label_text
from virtuallab.reporting.figures.accuracy import accuracy_figure
from virtuallab.reporting.figures.common.captioned import CaptionedFigure
from virtuallab.reporting.figures.confusion import confusion_figure
from virtuallab.reporting.figures.controls import controls_figure
from virtuallab.reporting.figures.gradient_alignment import angles_figure, sizes_figure
from virtuallab.reporting.figures.held_out import held_out_figure
from virtuallab.reporting.figures.importance import importance_of_shown
from virtuallab.reporting.figures.learning_curves import learning_figure
from virtuallab.reporting.figures.left_out import left_out_figure
from virtuallab.reporting.figures.recorded_activity import (
    RecordingCheck,
    activity_figure,
    unchecked,
)
from virtuallab.reporting.figures.reliability import reliability_figure
from virtuallab.reporting.page.template import render, verbatim
from virtuallab.reporting.results.analyses import analyses, why_none
from virtuallab.reporting.results.decoding import REFERENCES, AnalysisResult
from virtuallab.reporting.results.paired import paired_differences
from virtuallab.reporting.results.subjects import count_by_rule, measure_of
from virtuallab.reporting.results.verdict import judge
from virtuallab.reporting.style import looks
from virtuallab.vocabulary import PENDING, RULE

_FIGURES: Final[dict[str, Callable[[AnalysisResult], CaptionedFigure | None]]] = {
    "accuracy": accuracy_figure,
    "controls": controls_figure,
    "confusion": confusion_figure,
    "reliability": reliability_figure,
    "held_out": held_out_figure,
    "left_out": left_out_figure,
    "importance": importance_of_shown,
}
_PROVENANCE: Final = ("seed", "git", "protocol_sha256", "python", "platform")


def experiment_page(
    tree: xr.DataTree, title: str | None = None, check: RecordingCheck = unchecked
) -> str:
    """Report of an experiment, with the stages that are finished.

    Parameters
    ----------
    tree : xr.DataTree
        An experiment, as :func:`virtuallab.open` returns it. Only ``/subjects`` is required. Raw
        recordings are read for one subject of each rule only.
    title : str, optional
        Title of the page; the name of the protocol if not given.
    check : callable, optional
        Called with a node and the index of a subject before its recording is read; raises if the
        recording is damaged.

    Returns
    -------
    str
        A self-contained HTML document; the same tree gives the same text.
    """
    subjects = tree["subjects"].to_dataset().load()
    rules = sorted(map(str, set(label_text(subjects[RULE]))))
    rule_looks = looks(rules)
    found = analyses(tree)
    probes = [result.probe for analysis in found for result in analysis.of_probes]
    return render(
        "experiment.html.jinja",
        title=title or str(tree.attrs.get("title") or tree.name or "experiment"),
        question=str(tree.attrs.get("summary", "")).removeprefix("Simulated data.").strip(),
        sections=[
            {
                "analysis": analysis,
                "verdict": judge(analysis),
                "figures": {
                    name: make(analysis) if analysis.results else None
                    for name, make in _FIGURES.items()
                },
            }
            for analysis in found
        ],
        why_none="" if found else why_none(tree),
        learning=learning_figure(tree, rule_looks),
        angles=angles_figure(tree, rule_looks),
        sizes=sizes_figure(tree, rule_looks),
        activity=activity_figure(tree, probes, check),
        counts=count_by_rule(tree, rules),
        measure=measure_of(tree),
        differences=paired_differences(tree, rules),
        references=REFERENCES,
        unfinished=int((subjects["status"] == PENDING).sum()),
        n_subjects=subjects.sizes["subject"],
        rule_looks=rule_looks,
        provenance=_provenance(tree),
        protocol=verbatim(str(tree.attrs.get("protocol_yaml", ""))),
    )


def _provenance(tree: xr.DataTree) -> dict[str, str]:
    kept = {key: str(tree.attrs[key]) for key in _PROVENANCE if tree.attrs.get(key)}
    versions = json.loads(tree.attrs.get("versions", "{}"))
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return {**kept, "versions": listed} if listed else kept
