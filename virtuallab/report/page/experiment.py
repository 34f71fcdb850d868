"""The report: one page that needs no network, no script and no other file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import xarray as xr
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from virtuallab.labels import words
from virtuallab.report.certainty_plates import held_out_plate, left_out_plate, reliability_plate
from virtuallab.report.figures.alignment import angles_plate, sizes_plate
from virtuallab.report.figures.common.captioned import Panel, Plate
from virtuallab.report.relevance_plates import relevance_of_shown
from virtuallab.report.render import inline_svg
from virtuallab.report.results.analyses import Analysis, Result, analyses
from virtuallab.report.results.controls import BESIDE, Control
from virtuallab.report.results.verdict import Verdict, judge
from virtuallab.report.style import looks, pretty
from virtuallab.report.subject_plates import Check, activity_plate, learning_plate, unchecked
from virtuallab.report.verdict_plates import accuracy_plate, confusion_plate, controls_plate
from virtuallab.text import printable
from virtuallab.vocabulary import DIVERGED, DONE, FAILED, PENDING, RULE, STATUS, VISIT


@dataclass(frozen=True)
class Section:
    """One analysis as the page shows it."""

    analysis: Analysis
    verdict: Verdict
    by_probe: dict[str, list[Result]]
    beside: list[str]
    controls: tuple[Control, ...]
    not_asked: dict[str, int]
    plates: dict[str, Plate | None]
    whole_subjects: bool


def build(tree: xr.DataTree, title: str | None = None, check: Check = unchecked) -> str:
    """Write the report of an experiment, as far as it has come.

    Parameters
    ----------
    tree : xr.DataTree
        An experiment, as :func:`virtuallab.open` gives it. Needs ``/subjects``; everything else is
        shown where it is there. Raw recordings are read of one subject of each rule only.
    title : str, optional
        In place of the protocol's name.
    check : callable, optional
        Called with a node and the index of a subject before its recording is read; raises if the
        recording is damaged.

    Returns
    -------
    str
        A self-contained HTML document; the same tree gives the same text.
    """
    subjects = tree["subjects"].to_dataset().load()
    rules = sorted(map(str, set(words(subjects[RULE]))))
    rule_looks = looks(rules)
    sections = [_section(analysis) for analysis in analyses(tree)]
    probes = [result.probe for s in sections for result in s.analysis.of_probes]
    question = str(tree.attrs.get("summary", "")).removeprefix("Simulated data.").strip()
    return (
        environment()
        .get_template("experiment.html.jinja")
        .render(
            title=title or str(tree.attrs.get("title") or tree.name or "experiment"),
            question=question,
            sections=sections,
            learning=learning_plate(tree, rule_looks),
            angles=angles_plate(tree, rule_looks),
            sizes=sizes_plate(tree, rule_looks),
            activity=activity_plate(tree, probes, check),
            fates=fates(subjects, tree, rules),
            unfinished=int((subjects["status"] == PENDING).sum()),
            n_subjects=subjects.sizes["subject"],
            rule_looks=rule_looks,
            provenance=_provenance(tree),
            protocol=str(tree.attrs.get("protocol_yaml", "")),
        )
    )


def _section(analysis: Analysis) -> Section:
    by_probe: dict[str, list[Result]] = {}
    for result in analysis.results:
        by_probe.setdefault(result.probe, []).append(result)
    makers: dict[str, Callable[[Analysis], Plate | None]] = {
        "accuracy": accuracy_plate,
        "controls": controls_plate,
        "confusion": confusion_plate,
        "reliability": reliability_plate,
        "held_out": held_out_plate,
        "left_out": left_out_plate,
        "relevance": relevance_of_shown,
    }
    plates = {name: make(analysis) if analysis.results else None for name, make in makers.items()}
    return Section(
        analysis=analysis,
        verdict=judge(analysis),
        by_probe=by_probe,
        beside=[name for name in analysis.control_names if name in BESIDE],
        controls=tuple(analysis.shown.controls.values()) if analysis.shown else (),
        not_asked=_not_asked(analysis),
        plates=plates,
        whole_subjects=any(r.whole_subjects is not None for r in analysis.results),
    )


def _not_asked(analysis: Analysis) -> dict[str, int]:
    """Why controls were not asked, each reason with the number of results that it holds for."""
    every = [control for result in analysis.results for control in result.controls.values()]
    said = [f"{pretty(c.name)}: {c.note}" for c in every if not c.asked and c.note]
    return dict(Counter(said))


@dataclass(frozen=True)
class Fate:
    """What became of the subjects of one rule."""

    rule: str
    total: int
    done: int
    diverged: int
    failed: int
    pending: int
    accuracy: tuple[float, float, float] | None  # quartiles of the final validation accuracy


def fates(subjects: xr.Dataset, tree: xr.DataTree, rules: Sequence[str]) -> list[Fate]:
    """Count the subjects of each rule by status.

    Parameters
    ----------
    subjects : xr.Dataset
        The table of subjects, with ``rule(subject)`` and ``status(subject)``.
    tree : xr.DataTree
        For the final validation accuracy, where ``/truth`` has it.
    rules : sequence of str
        In the order wanted.
    """
    of, status = words(subjects[RULE]), subjects["status"].to_numpy()
    final = np.full(len(of), np.nan)
    if "truth" in tree.children and "validation_accuracy" in tree["truth"]:
        final = tree["truth"]["validation_accuracy"].isel({VISIT: -1}).to_numpy().astype(float)
    found = []
    for rule in rules:
        members = of == rule
        count = {value: int((members & (status == value)).sum()) for value in STATUS}
        reached = final[members & (status == DONE) & np.isfinite(final)]
        quartiles = np.percentile(reached, (25, 50, 75)) if reached.size else None
        found.append(
            Fate(
                rule=rule,
                total=int(members.sum()),
                done=count[DONE],
                diverged=count[DIVERGED],
                failed=count[FAILED],
                pending=count[PENDING],
                accuracy=None if quartiles is None else (*map(float, quartiles),),  # type: ignore[arg-type]
            )
        )
    return found


_KEPT = ("seed", "git", "protocol_sha256", "python", "platform")


def _provenance(tree: xr.DataTree) -> dict[str, str]:
    kept = {key: str(tree.attrs[key]) for key in _KEPT if tree.attrs.get(key)}
    versions = json.loads(tree.attrs.get("versions", "{}"))
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return {**kept, "versions": listed} if listed else kept


@cache
def environment() -> Environment:
    """Make what fills in the templates."""
    environment = Environment(
        loader=PackageLoader("virtuallab.report.page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters["pretty"] = pretty
    environment.globals["figure"] = _figure
    return environment


def _shown(value: object) -> object:
    """Text from outside without control characters, which no page may hold."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value)
    return value


def _figure(panel: Panel, name: str) -> Markup:
    return Markup(inline_svg(panel.figure, name, panel.alt))  # the alt text is escaped there
