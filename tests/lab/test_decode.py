"""``decode``: which analyses are run on which probes, and what is printed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from rich.console import Console

import virtuallab as vl
from tests.lab.stages.tiny import TEXT
from virtuallab.errors import Interrupted, ProtocolError, UserError
from virtuallab.lab import decode as command
from virtuallab.store import Store


@pytest.fixture(autouse=True)
def decoded(monkeypatch: pytest.MonkeyPatch) -> mock.Mock:
    """Replace the evaluation of analyses."""
    replaced = mock.create_autospec(command.decode_probes)
    monkeypatch.setattr(command, "decode_probes", replaced)
    return replaced


def other(folder: Path, *changes: tuple[str, str]) -> Path:
    """Write a protocol with an analysis of the probe ``some``."""
    text = TEXT.replace("replicates: 2", "replicates: 4")
    text = text.replace("probes: {}", "probes: {some: {units: 2, observables: [activity]}}")
    analysis = "added: {observables: [activity], folds: 2, inner_folds: 2}"
    text = text.replace("analyses: {}", f"analyses:\n  {analysis}")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    file = folder / "other.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def given(decoded: mock.Mock) -> tuple[set[str], set[str], dict[str, Any]]:
    """Return names of the analyses and of the probes, and the options."""
    decoded.assert_called_once()
    (_, analyses, found), options = decoded.call_args
    return {*analyses}, {*found.probes}, options


def without_one(store: Path) -> Path:
    """Remove the record that the first subject was recorded."""
    (store.with_name("lab.records") / "probe-some" / "000000.json").unlink()
    return store


def test_without_a_protocol_the_experiments_own_analyses_are_run_with_its_seed(
    experiment: Path, decoded: mock.Mock
) -> None:
    vl.decode(experiment, workers=3)
    analyses, probes, options = given(decoded)
    assert analyses == {"main"}
    assert probes == {"some"}
    assert (options["seed"], options["workers"]) == (3, 3)


def test_another_protocols_analyses_are_run_with_the_experiments_seed(
    experiment: Path, decoded: mock.Mock, tmp_path: Path
) -> None:
    vl.decode(experiment, other(tmp_path, ("seed: 3", "seed: 99")))
    analyses, probes, options = given(decoded)
    assert (analyses, probes, options["seed"]) == ({"added"}, {"some"}, 3)


def test_another_protocol_that_cannot_be_carried_out_is_refused_before_decoding(
    experiment: Path, decoded: mock.Mock, tmp_path: Path
) -> None:
    with pytest.raises(ProtocolError, match=r"analyses\.added\.folds"):
        vl.decode(experiment, other(tmp_path), ["analyses.added.folds=5"])
    decoded.assert_not_called()


def test_a_probe_that_an_analysis_needs_must_have_recorded_all_unless_a_part_is_asked_for(
    experiment: Path, decoded: mock.Mock, tmp_path: Path
) -> None:
    store = without_one(experiment)
    with pytest.raises(UserError, match="has recorded 7 of 8 subjects"):
        vl.decode(store, other(tmp_path))
    decoded.assert_not_called()
    vl.decode(store, other(tmp_path), partial=True)
    assert given(decoded)[1] == {"some"}


def test_a_probe_that_no_analysis_needs_is_left_out_with_the_commands_that_finish_or_remove_it(
    experiment: Path, decoded: mock.Mock, tmp_path: Path
) -> None:
    console = Console(file=io.StringIO(), width=1000)
    vl.decode(without_one(experiment), other(tmp_path), ["analyses={}"], verbose=console)
    assert given(decoded)[1] == set()
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "probe 'some' has recorded 7 of 8 subjects and is left out: " in text
    assert f"`virtuallab probe {experiment}`" in text
    assert f"`virtuallab probe {experiment} --remove some`" in text


def test_an_interrupted_decoding_begins_anew_and_frees_the_store(
    experiment: Path, decoded: mock.Mock
) -> None:
    decoded.side_effect = KeyboardInterrupt
    with pytest.raises(Interrupted, match="the same command begins anew"):
        vl.decode(experiment)
    decoded.side_effect = None
    vl.decode(experiment)
    assert Store.open(experiment).verify() == []
