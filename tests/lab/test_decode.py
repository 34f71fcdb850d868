"""``decode``: which analyses are run on which probes, and what is printed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

import virtuallab as vl
from tests.lab.stages.tiny import TEXT
from virtuallab.errors import Interrupted, ProtocolError, UserError, VirtuallabWarning
from virtuallab.lab import decode as command
from virtuallab.store import Store, writer

BEFORE = '<meta name="generator" content="virtuallab">before'


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


def test_overrides_without_a_protocol_apply_to_the_experiments_own(
    experiment: Path, decoded: mock.Mock
) -> None:
    more = "analyses.more={observables: [activity], folds: 2, inner_folds: 2}"
    vl.decode(experiment, overrides=["analyses.main.repeats=2", more])
    (_, analyses, _), options = decoded.call_args
    assert {name: each.repeats for name, each in analyses.items()} == {"main": 2, "more": 5}
    assert options["seed"] == 3


def test_one_override_is_a_text(experiment: Path, decoded: mock.Mock) -> None:
    with pytest.raises(
        ProtocolError, match=r"^-s analyses\.main\.folds=5: analyses\.main\.folds: "
    ):
        vl.decode(experiment, overrides="analyses.main.folds=5")
    decoded.assert_not_called()


@pytest.mark.parametrize("has_protocol", [False, True])
@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("seed=5", "seed: has no effect: `virtuallab decode` uses only the section 'analyses' of"),
        ("subjects.replicates=9", "subjects.replicates: has no effect: .* Leave it out"),
        ("probes.some.units=1", "probes.some.units: has no effect"),
        ("analysis.main.folds=2", "no such key. Did you mean 'analyses'"),
    ],
)
def test_overrides_that_would_change_nothing_are_refused(
    experiment: Path,
    decoded: mock.Mock,
    tmp_path: Path,
    override: str,
    words: str,
    has_protocol: bool,
) -> None:
    protocol = other(tmp_path) if has_protocol else None
    with pytest.raises(ProtocolError, match=f"^-s {override}: .*{words}"):
        vl.decode(experiment, protocol, [override])
    decoded.assert_not_called()


def test_another_protocols_analyses_are_checked_against_the_experiments_subjects(
    experiment: Path, decoded: mock.Mock, tmp_path: Path
) -> None:
    few = other(tmp_path, ("replicates: 4", "replicates: 2"))
    vl.decode(experiment, few)
    assert given(decoded)[0] == {"added"}
    with pytest.raises(ProtocolError, match=r"analyses\.added\.others: no rule 'oja'"):
        vl.decode(experiment, few, ["analyses.added.others=[oja]"])


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


def printed(store: Path, *given: Any) -> str:
    console = Console(file=io.StringIO(), width=1000)
    vl.decode(store, *given, verbose=console)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def with_results(store: Path) -> Path:
    """Store results of the experiment's own analysis."""
    with writer(store):
        found = Store.open(store)
        names = np.array(["some"], dtype=object)
        table = xr.Dataset({"x": ("probe", [1.0])}, coords={"probe": names})
        found.write_table("decoding/main", table)
        found.finish()
    return store


def test_results_that_were_replaced_are_named(experiment: Path, tmp_path: Path) -> None:
    assert "replaced" not in printed(experiment)
    store = with_results(experiment)
    assert "The earlier results of analysis main are replaced.\n" in printed(store)
    assert "replaced" not in printed(store, other(tmp_path))
    said = printed(store, other(tmp_path, ("added: {", "main: {repeats: 2, ")))
    words = "The earlier results of analysis main are replaced by those of other settings"
    assert f"{words}; `virtuallab decode {experiment}` makes them anew.\n" in said


def test_a_report_page_is_made_anew_if_there_is_one(experiment: Path) -> None:
    page = experiment.with_suffix(".html")
    assert "Report:" not in printed(experiment)
    assert not page.exists()
    page.write_text(BEFORE, encoding="utf-8")
    with mock.patch("virtuallab.reporting.page.template.inline_svg", return_value="<svg></svg>"):
        assert f"Report: {page}\n" in printed(experiment)
    assert "Which rule?" in page.read_text(encoding="utf-8")


def test_a_page_that_virtuallab_did_not_write_is_left_alone(experiment: Path) -> None:
    page = experiment.with_suffix(".html")
    page.write_text("mine", encoding="utf-8")
    assert "Report:" not in printed(experiment)
    assert page.read_text(encoding="utf-8") == "mine"


def test_a_page_that_cannot_be_made_anew_for_damage_is_named_as_older(experiment: Path) -> None:
    page = experiment.with_suffix(".html")
    page.write_text(BEFORE, encoding="utf-8")
    store = with_results(experiment)
    (store / "decoding" / "main" / "x" / "zarr.json").write_bytes(b"x")
    with pytest.warns(VirtuallabWarning, match="decoding/main"):
        assert f"Report: {page} is older than these results\n" in printed(store)
    assert page.read_text(encoding="utf-8") == BEFORE


def test_an_interrupted_decoding_begins_anew_and_frees_the_store(
    experiment: Path, decoded: mock.Mock
) -> None:
    decoded.side_effect = KeyboardInterrupt
    with pytest.raises(Interrupted, match="the same command begins anew"):
        vl.decode(experiment)
    decoded.side_effect = None
    vl.decode(experiment)
    assert Store.open(experiment).verify() == []
