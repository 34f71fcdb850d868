"""A search finds good settings, survives being killed, and says what it found."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from virtuallab.errors import ProtocolError, StoreError, UserError
from virtuallab.lab.tuning import generation
from virtuallab.lab.tuning import search as searching
from virtuallab.lab.tuning.optuna_storage import open_storage
from virtuallab.protocol import read

PROTOCOL = """\
# A search, for tests.
schema_version: 1
name: small
seed: 3
subjects:
  architectures: [{name: mlp, hidden: [8]}]
  tasks: [{name: digits, train_images: 160, validation_images: 100, probe_images: 20}]
  rules:
    - name: backprop             # the only one
      optimizer: {name: sgd, momentum: 0.9, learning_rate: {log_uniform: [1e-4, 10]}}
  replicates: 1
  batch_size: 16
  epochs: 3
  visits: 4
search: {trials: 24, generation: 8}
"""
RATE = "optimizer.learning_rate"
QUICK = ["subjects.epochs=1", "subjects.visits=2", "search.trials=6", "search.generation=3"]


@pytest.fixture
def protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.yaml"
    path.write_text(PROTOCOL, encoding="utf-8")
    return path


class Spy:
    """Stands between a search and training; may break the power at some cohort."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.sizes: list[int] = []
        self.breaks_at = -1

    def __call__(self, cohort: Any, *args: Any, **options: Any) -> Any:
        if len(self.sizes) == self.breaks_at:
            raise KeyboardInterrupt
        self.sizes.append(len(cohort.subjects))
        return self.real(cohort, *args, **options)


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spy]:
    spy = Spy(generation.train)
    monkeypatch.setattr(generation, "train", spy)
    return spy


def search(*arguments: Any, **options: Any) -> pd.DataFrame:
    """Trials as a table."""
    found = searching.search(*arguments, **options).to_dataframe()
    return found.rename_axis(None)


def complete(trials: pd.DataFrame) -> pd.DataFrame:
    return trials[trials["state"] == "complete"]


def test_it_finds_a_better_rate_than_the_middle_of_the_range(protocol: Path) -> None:
    screen = io.StringIO()
    trials = search(protocol, ["search.seeds=2"], verbose=Console(file=screen, width=80))
    assert len(trials) == 24
    best = trials.loc[trials["value"].idxmax()]
    middle = search(
        protocol,
        [f"subjects.rules[0].{RATE}={{log_uniform: [0.0316, 0.0317]}}", "search.trials=1"],
        storage=Path("middle.journal"),
    )
    later = trials[trials["trial"] >= 16]["value"]
    assert best["value"] > middle["value"][0]
    assert later.median() > trials[trials["trial"] < 8]["value"].median(), "it learns where to look"
    tuned = read(Path("runs/small.tuned.yaml"))
    [rule] = tuned.subjects.rules
    assert rule.optimizer is not None
    assert rule.optimizer.settings["learning_rate"] == best[RATE]
    assert "# the only one" in tuned.text
    assert tuned.text.startswith("# Made by: virtuallab search ")
    pd.testing.assert_frame_equal(pd.read_csv("runs/small.search.csv"), trials)
    said = screen.getvalue()
    assert "trials finished: 24 of 24" in said
    assert f"learning_rate {best[RATE]:.3g}" in said
    assert max(map(len, said.splitlines())) <= 80


def test_a_generation_is_one_cohort(protocol: Path, spy: Spy) -> None:
    search(protocol, [*QUICK, "search.trials=7", "search.seeds=2"])
    assert spy.sizes == [6, 6, 2]


def test_trials_of_other_kinds_train_apart(protocol: Path, spy: Spy) -> None:
    nesterov = "subjects.rules[0].optimizer.nesterov={choice: [false, true]}"
    trials = search(protocol, [*QUICK, nesterov, "search.generation=6"])
    assert sorted(set(trials["optimizer.nesterov"])) == [False, True]
    assert len(spy.sizes) == 2
    assert sum(spy.sizes) == 6


def test_killed_between_generations_it_goes_on_to_the_same_trials(protocol: Path, spy: Spy) -> None:
    whole = search(protocol, QUICK, storage=Path("whole.journal"))
    assert spy.sizes == [3, 3]
    spy.breaks_at = 3
    with pytest.raises(BaseException, match="goes on from here"):
        search(protocol, QUICK)
    spy.breaks_at = -1
    again = search(protocol, QUICK)
    assert len(spy.sizes) == 4, "the first generation is not trained again"
    assert (again["state"] == "failed").sum() == 3, "those that were under way are given up"
    columns = [RATE, "value", "diverged"]
    pd.testing.assert_frame_equal(
        complete(again)[columns].reset_index(drop=True), whole[columns], check_exact=True
    )


def test_killed_while_writing_it_goes_on(protocol: Path) -> None:
    search(protocol, QUICK)
    storage = Path("runs/small.search.journal")
    storage.write_bytes(storage.read_bytes()[:-7])
    Path(f"{storage}.lock").touch()
    assert len(complete(search(protocol, QUICK))) == 6


def test_more_trials_go_on_and_finished_ones_stay(protocol: Path, spy: Spy) -> None:
    first = search(protocol, QUICK)
    more = search(protocol, [*QUICK, "search.trials=8", "search.generation=2"])
    assert spy.sizes == [3, 3, 2]
    pd.testing.assert_frame_equal(more.iloc[:6], first)
    assert len(search(protocol, QUICK)) == 8
    assert spy.sizes == [3, 3, 2], "as many as were asked for are there: nothing is trained"


def test_the_same_seed_proposes_the_same_first_generation(protocol: Path) -> None:
    one = search(protocol, QUICK, storage=Path("one.journal"))
    other = search(protocol, [*QUICK, "search.trials=3"], storage=Path("other.journal"))
    pd.testing.assert_frame_equal(one.iloc[:3], other)
    third = search(protocol, [*QUICK, "seed=4"], storage=Path("third.journal"))
    assert set(third[RATE]).isdisjoint(one[RATE])


@pytest.mark.parametrize(
    "change",
    [
        "seed=4",
        f"subjects.rules[0].{RATE}={{log_uniform: [1e-4, 1]}}",
        "subjects.tasks=[{name: digits, train_images: 170}]",
        "subjects.batch_size=8",
        "search.objective=validation_loss",
        "search.seeds=2",
    ],
)
def test_a_changed_protocol_starts_anew(change: str, protocol: Path) -> None:
    from virtuallab.protocol import Search, search_studies

    names = []
    for overrides in ([], [change]):
        found = read(protocol, overrides)
        assert isinstance(found.search, Search)
        [study] = search_studies(found)
        names.append(study.name(found.search))
    assert names[0] != names[1]


def test_trials_of_another_seed_are_not_taken_for_these(protocol: Path, spy: Spy) -> None:
    search(protocol, QUICK)
    search(protocol, [*QUICK, "seed=4"])
    assert spy.sizes == [3] * 4
    search(protocol, QUICK)
    assert spy.sizes == [3] * 4, "and the former study is still there"


def test_what_diverges_loses_and_breaks_nothing(protocol: Path) -> None:
    wild = f"subjects.rules[0].{RATE}={{log_uniform: [0.01, 1e12]}}"
    for objective, worst in (("validation_performance", 0.1), ("train_loss", np.inf)):
        trials = search(protocol, [*QUICK, wild, f"search.objective={objective}"])
        lost = trials["diverged"] == 1
        assert 0 < lost.sum() < 6
        assert (trials["value"][lost] == worst).all()
        assert np.isfinite(trials["value"][~lost]).all()


def test_a_rule_that_always_diverges_stays_open(protocol: Path) -> None:
    wild = f"subjects.rules[0].{RATE}={{log_uniform: [1e20, 1e25]}}"
    screen = io.StringIO()
    search(protocol, [*QUICK, wild], verbose=Console(file=screen, width=80))
    assert "all diverge" in screen.getvalue()
    text = Path("runs/small.tuned.yaml").read_text(encoding="utf-8")
    assert "no trial did better than one that diverged; it is left open" in text
    [rule] = read(Path("runs/small.tuned.yaml")).subjects.rules
    assert rule.optimizer is not None
    assert not isinstance(rule.optimizer.settings["learning_rate"], float)


def test_studies_run_side_by_side_and_the_first_of_a_rule_is_taken(protocol: Path) -> None:
    rules = (
        "subjects.rules=[{name: backprop, label: sgdm}, "
        "{name: information_alignment, amp: {log_uniform: [1e-4, 0.1]}}]"
    )
    rate = "subjects.optimizer={name: sgd, learning_rate: {log_uniform: [1e-3, 0.1]}}"
    nets = "subjects.architectures=[{name: mlp, hidden: [9]}, {name: mlp, hidden: [6]}]"
    trials = search(protocol, [*QUICK, rules, rate, nets], workers=2)
    assert len(trials) == 4 * 6
    assert trials["study"].nunique() == 4
    assert list(dict.fromkeys(trials["architecture"])) == ["mlp-2", "mlp-1"]
    tuned = read(Path("runs/small.tuned.yaml"))
    assert tuned.subjects.optimizer is not None
    for entry, share in zip(tuned.subjects.rules, (True, False), strict=True):
        mine = trials[(trials["rule"] == entry.label) & (trials["architecture"] == "mlp-2")]
        best = mine.loc[mine["value"].idxmax()]
        optimizer = tuned.subjects.optimizer if share else entry.optimizer
        assert optimizer is not None
        assert optimizer.settings["learning_rate"] == best[RATE]
        if not share:
            assert entry.rule.settings["amp"] == best["amp"]


def test_a_run_leaves_the_section_aside(protocol: Path) -> None:
    from virtuallab.protocol import expand

    with_it, without = read(protocol), read(protocol, ["search=null"])
    assert expand(with_it) == expand(without)


@pytest.mark.parametrize(
    ("override", "fault"),
    [
        ("search=null", "search: missing key. `search: {}` asks for"),
        (f"subjects.rules[0].{RATE}=0.1", "subjects.rules: nothing is open here"),
        (f"subjects.rules[0].{RATE}=[0.1, 0.2]", "subjects.rules: nothing is open here"),
    ],
)
def test_what_cannot_be_searched_is_said(override: str, fault: str, protocol: Path) -> None:
    with pytest.raises(ProtocolError) as error:
        search(protocol, [override])
    assert fault in str(error.value)
    assert not Path("runs").exists()


def test_a_file_serves_one_search_and_no_other_file_is_touched(
    protocol: Path, tmp_path: Path
) -> None:
    storage = tmp_path / "one.journal"
    with open_storage(storage), pytest.raises(UserError, match="another search is using"):
        search(protocol, QUICK, storage=storage)
    with pytest.raises(StoreError, match="no file of a search"):
        search(protocol, QUICK, storage=protocol)
    assert protocol.read_text(encoding="utf-8") == PROTOCOL
    broken = tmp_path / "broken.journal"
    broken.write_bytes(b'{"op_code":0}\nnonsense\n{}\n')
    with pytest.raises(StoreError, match="is damaged"):
        search(protocol, QUICK, storage=broken)


def test_what_somebody_else_wrote_is_left_alone(protocol: Path, tmp_path: Path) -> None:
    storage = tmp_path / "one.journal"
    theirs = tmp_path / "small.tuned.yaml"
    theirs.write_text("# my own\n")
    with pytest.raises(UserError, match="was not written by virtuallab search"):
        search(protocol, QUICK, storage=storage)
    theirs.unlink()
    lock = tmp_path / "one.journal.lock"
    lock.write_text("theirs")
    with pytest.raises(StoreError, match="lock is in the way"):
        search(protocol, QUICK, storage=storage)
    assert lock.read_text() == "theirs"
    storage.unlink()
    storage.symlink_to(lock)
    with pytest.raises(UserError, match="is a link"):
        search(protocol, QUICK, storage=storage)
