"""``plan``: the costs of a protocol, printed where it is asked for."""

from __future__ import annotations

import io
from unittest import mock

import pytest
from rich.console import Console
from ruamel.yaml import YAML

import virtuallab as vl
from tests.lab.stages.tiny import TEXT
from virtuallab.errors import ProtocolError
from virtuallab.lab import plan as command
from virtuallab.lab.planning.plan import Plan

SETTINGS = YAML(typ="safe").load(TEXT)
FIXED = ["subjects.cohort=2"]  # so that few trial steps are trained


def test_a_plan_has_its_subjects_its_visits_and_its_costs(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    found = vl.plan(SETTINGS, FIXED, workers=2)
    assert len(found.subjects) == 4
    assert found.visits == (0, 2, 4)
    assert found.costs is not None
    assert found.costs.workers == 2
    assert found.costs.training > 0
    assert [*tmp_path.iterdir()] == [], "a plan writes nothing"


def test_the_table_is_printed_on_the_console_that_is_given(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console(file=io.StringIO(), width=100)
    vl.plan(SETTINGS, FIXED, workers=1, verbose=console)
    assert "2 of 2 subjects, 1 at once" in console.file.getvalue()  # type: ignore[attr-defined]
    assert capsys.readouterr() == ("", "")


def test_without_a_word_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(vl.plan(SETTINGS, FIXED, workers=1), Plan)
    assert capsys.readouterr() == ("", "")


def test_every_fault_is_listed_and_no_trial_step_is_trained() -> None:
    wrong = ["probes.a={visits: 9}", "probes.b={visits: 9}"]
    with (
        mock.patch.object(command, "measure_costs") as measured,
        pytest.raises(ProtocolError) as caught,
    ):
        vl.plan(SETTINGS, wrong)
    measured.assert_not_called()
    assert [fault.path for fault in caught.value.faults] == ["probes.a.visits", "probes.b.visits"]
