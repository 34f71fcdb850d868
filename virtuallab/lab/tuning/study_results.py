"""Results of a search: a row for each trial, and a summary of each study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from virtuallab.console import TerminalTable, terminal_table
from virtuallab.protocol import Search, SearchStudy
from virtuallab.text import short
from virtuallab.vocabulary import describe as described

_NEAR = 0.95  # of the best
_WIDTH = 21  # of the rules' column, so that the table fits in 80 columns


@dataclass(frozen=True)
class Trial:
    """One trial.

    Parameters
    ----------
    number : int
        Counted from 0 in its study.
    settings : mapping
        Path of each setting that was open -> its value.
    value : float
        What it is worth; NaN if it never ended.
    diverged : int
        How many of its subjects did.
    state : str
        ``"complete"``, or ``"failed"`` if the search was killed before it ended.
    """

    number: int
    settings: Mapping[str, Any]
    value: float
    diverged: int
    state: str


@dataclass(frozen=True)
class StudyResult:
    """Result of a study.

    Parameters
    ----------
    study : SearchStudy
    settings : mapping
        Those of the best trial.
    best, median : float
        Value of the best trial, and of the one in the middle.
    near : float
        Share of the trials that come within 95 % of the best: how little the choice matters.
    trials : int
        How many there are.
    is_hopeless : bool
        Whether no trial did better than subjects that diverged.
    """

    study: SearchStudy
    settings: Mapping[str, Any]
    best: float
    median: float
    near: float
    trials: int
    is_hopeless: bool

    @property
    def sentence(self) -> str:
        """The result as one line."""
        where = f"{self.study.label}, {self.study.architecture}, {self.study.task}"
        if self.is_hopeless:
            return f"{where}: no trial did better than one that diverged; it is left open"
        return f"{where}: {self.best:.4g}"


def table(found: Mapping[str, tuple[SearchStudy, Sequence[Trial]]]) -> pd.DataFrame:
    """List every trial of every study, by the study's name."""
    studies = [study for study, _ in found.values()]
    paths = dict.fromkeys(path for study in studies for path in (*study.point, *study.space))
    rows = [
        {
            "study": name,
            "rule": study.entry.label,
            "architecture": study.architecture,
            "task": study.task,
            "trial": trial.number,
            **dict.fromkeys(paths),
            **study.point,
            **trial.settings,
            "value": trial.value,
            "diverged": trial.diverged,
            "state": trial.state,
        }
        for name, (study, trials) in found.items()
        for trial in trials
    ]
    return pd.DataFrame(rows)


def summarise(study: SearchStudy, how: Search, trials: Sequence[Trial]) -> StudyResult:
    """Find the best trial of a study, and how much the choice of its settings matters."""
    complete = [trial for trial in trials if trial.state == "complete"]
    values = pd.Series([trial.value for trial in complete])
    best = complete[int(values.argmax() if how.maximised else values.argmin())]
    near = values >= _NEAR * best.value if how.maximised else values <= best.value / _NEAR
    return StudyResult(
        study=study,
        settings=best.settings,
        best=best.value,
        median=float(values.median()),
        near=float(near.mean()),
        trials=len(complete),
        is_hopeless=best.diverged == how.seeds,
    )


def describe(name: str, how: Search, found: Sequence[StudyResult]) -> TerminalTable:
    """Lay out for the terminal what the studies found."""
    most = max(result.trials for result in found)
    measure = described(how.objective)["long_name"]
    lines = terminal_table(
        title=f"{name}: best of {most} trials by {measure}",
        caption=f"near: share of trials within {100 * _NEAR:g} % of the best",
    )
    longest = max(len(result.study.label) for result in found)
    lines.add_column("rule", overflow="fold", min_width=min(longest, _WIDTH))
    lines.add_column("network, task", overflow="fold")
    lines.add_column("best", no_wrap=True)
    lines.add_column("best settings", no_wrap=True)
    lines.add_column("median", no_wrap=True)
    lines.add_column("near", no_wrap=True)
    for result in found:
        settings = "\n".join(
            f"{path.removeprefix('optimizer.')} {short(v)}" for path, v in result.settings.items()
        )
        cells = [
            result.study.label,
            f"{result.study.architecture}, {result.study.task}",
            f"{result.best:.4g}",
            "all diverge" if result.is_hopeless else settings,
            f"{result.median:.4g}",
            "-" if result.is_hopeless else f"{100 * result.near:.0f} %",
        ]
        lines.add_row(*cells)
    return lines
