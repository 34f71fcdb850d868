"""Scores of probabilities in CSV files: right values for known predictions, and clear errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import virtuallab as vl
from virtuallab.errors import UserError

RULES = ("adam", "feedback", "sgdm")
EACH = 12


def subjects() -> pd.DataFrame:
    """Subjects of three rules in two kinds and twelve pairs."""
    rows = [
        {
            "subject": f"s{3 * pair + i:02d}",
            "rule": rule,
            "kind": f"net{pair % 2}",
            "pair": pair,
        }
        for pair in range(EACH)
        for i, rule in enumerate(RULES)
    ]
    return pd.DataFrame(rows)


def stated(probability: Mapping[str, np.ndarray] | np.ndarray) -> pd.DataFrame:
    table = pd.DataFrame(probability, columns=list(RULES))
    table.insert(0, "subject", subjects()["subject"])
    return table


def certain(shift: int = 0) -> np.ndarray:
    """Probability 1 of the true rule, or of a rule some places after it."""
    return np.roll(np.tile(np.eye(len(RULES)), (EACH, 1)), shift, axis=1)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    subjects().to_csv(path, index=False)
    return path


def scored(tmp_path: Path, labels: Path, table: pd.DataFrame, **options: object) -> xr.Dataset:
    path = tmp_path / "mine.csv"
    table.to_csv(path, index=False)
    return vl.score(path, labels, **options)  # type: ignore[arg-type]


def test_a_perfect_prediction(tmp_path: Path, labels: Path) -> None:
    found = scored(tmp_path, labels, stated(certain()))
    assert float(found["balanced_accuracy"]) == 1
    low, high = found["interval"].values
    assert 0.5 < low < 1 == high
    assert found["confusion"].values.tolist() == (EACH * np.eye(3)).tolist()
    assert float(found["log_loss"]) < 1e-9
    assert float(found["brier"]) == 0
    assert float(found["calibration_error"]) == 0
    assert found["kind"].values.tolist() == ["net0", "net1"]
    assert found["kind_accuracy"].values.tolist() == [1, 1]
    assert found["kind_subjects"].values.tolist() == [18, 18]
    assert (found.attrs["chance"], found.attrs["subjects"]) == (1 / 3, 36)


def test_a_uniform_prediction_is_at_chance(tmp_path: Path, labels: Path) -> None:
    found = scored(tmp_path, labels, stated(np.full((36, 3), 1 / 3)))
    assert float(found["balanced_accuracy"]) == pytest.approx(1 / 3)
    np.testing.assert_allclose(found["confusion"], np.full((3, 3), EACH / 3))
    assert float(found["log_loss"]) == pytest.approx(np.log(3))
    assert float(found["brier"]) == pytest.approx(2 / 3)
    assert float(found["calibration_error"]) == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(found["kind_accuracy"], 1 / 3)


def test_an_inverted_prediction_is_always_wrong(tmp_path: Path, labels: Path) -> None:
    found = scored(tmp_path, labels, stated(certain(1)))
    assert float(found["balanced_accuracy"]) == 0
    assert found["interval"].values[0] == 0
    assert float(found["brier"]) == 2
    assert float(found["calibration_error"]) == 1
    assert float(found["log_loss"]) > 30
    assert found["confusion"].sel(true_rule="adam", predicted_rule="feedback") == EACH


def test_a_kind_that_is_not_identified_is_the_first(tmp_path: Path, labels: Path) -> None:
    wrong = (subjects()["kind"] == "net1").to_numpy()[:, None]
    found = scored(tmp_path, labels, stated(np.where(wrong, certain(1), certain())))
    assert found["kind"].values.tolist() == ["net1", "net0"]
    assert found["kind_accuracy"].values.tolist() == [0, 1]
    assert float(found["balanced_accuracy"]) == 0.5


def test_subjects_of_a_pair_that_fail_together_widen_the_interval(
    tmp_path: Path, labels: Path
) -> None:
    wrong = (subjects()["pair"] < 6).to_numpy()[:, None]
    table = stated(np.where(wrong, certain(1), certain()))
    paired = scored(tmp_path, labels, table)
    subjects().drop(columns="pair").to_csv(labels, index=False)
    alone = scored(tmp_path, labels, table)
    assert float(paired["pair_effect"]) > 2
    assert float(alone["pair_effect"]) == 1
    width = [float(np.diff(each["interval"])[0]) for each in (paired, alone)]
    assert width[0] > 1.3 * width[1]


def test_the_order_of_rows_and_columns_does_not_matter(tmp_path: Path, labels: Path) -> None:
    stream = np.random.default_rng(0)
    table = stated(stream.dirichlet(np.ones(3), 36))
    first = scored(tmp_path, labels, table)
    shuffled = table.sample(frac=1, random_state=1)[["sgdm", "subject", "adam", "feedback"]]
    xr.testing.assert_identical(first, scored(tmp_path, labels, shuffled))


def test_rounded_probabilities_are_normalised(tmp_path: Path, labels: Path) -> None:
    found = scored(tmp_path, labels, stated(np.full((36, 3), 0.33)))
    assert float(found["log_loss"]) == pytest.approx(np.log(3))


def test_without_kinds_there_is_no_accuracy_by_kind(tmp_path: Path, labels: Path) -> None:
    subjects()[["subject", "rule"]].to_csv(labels, index=False)
    assert "kind" not in scored(tmp_path, labels, stated(certain())).dims


def test_rules_without_a_column_are_scored_by_their_detection(
    tmp_path: Path, labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two of three rules have a column; subjects of the third are to be detected."""
    other = (subjects()["rule"] == "adam").to_numpy()
    table = stated(certain()).drop(columns="adam")
    table.loc[other, ["feedback", "sgdm"]] = 0.5
    table["none_of_these"] = np.where(other, 0.9, 0.2)
    found = scored(tmp_path, labels, table, verbose=True)
    assert "novelty AUROC" in capsys.readouterr().out
    assert float(found["novelty_auroc"]) == 1
    assert found.attrs["subjects_of_other_rules"] == EACH
    assert found.attrs["subjects"] == 2 * EACH
    assert float(found["balanced_accuracy"]) == 1
    assert found["true_rule"].values.tolist() == ["feedback", "sgdm"]
    for value, area in ((1 - table["none_of_these"], 0.0), (0.3, 0.5)):
        worse = scored(tmp_path, labels, table.assign(none_of_these=value))
        assert float(worse["novelty_auroc"]) == area
        assert float(worse["balanced_accuracy"]) == 1


def test_a_column_for_other_rules_changes_nothing_if_every_rule_has_one(
    tmp_path: Path, labels: Path
) -> None:
    table = stated(certain(1))
    plain = scored(tmp_path, labels, table)
    assert "novelty_auroc" not in plain
    xr.testing.assert_identical(plain, scored(tmp_path, labels, table.assign(none_of_these=0.5)))


def test_scores_are_printed_and_saved(
    tmp_path: Path, labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scores.json"
    found = scored(tmp_path, labels, stated(certain(1)), save=file, verbose=True)
    text = capsys.readouterr().out
    for said in ("Scores of 36 subjects", "balanced accuracy", "chance 0.333", "Worst kind: net0"):
        assert said in text
    xr.testing.assert_identical(found, xr.Dataset.from_dict(json.loads(file.read_text())))
    assert scored(tmp_path, labels, stated(certain(1))).identical(found)
    assert capsys.readouterr().out == ""


def test_no_file_is_replaced_by_scores(tmp_path: Path, labels: Path) -> None:
    before = labels.read_bytes()
    with pytest.raises(UserError, match=r"labels\.csv exists and was left alone"):
        scored(tmp_path, labels, stated(certain(1)), save=labels)
    assert labels.read_bytes() == before


def test_a_byte_order_mark_empty_lines_and_spaces_are_ignored(tmp_path: Path, labels: Path) -> None:
    path = tmp_path / "mine.csv"
    lines = stated(certain()).to_csv(index=False).replace(",", " , ").splitlines()
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n\r\n".join(lines).encode())
    assert float(vl.score(path, labels)["balanced_accuracy"]) == 1


GOOD = "subject,rule\na,x\nb,y\n"
MINE = "subject,x,y\na,1,0\nb,0.5,0.5\n"
BAD = {
    "missing subject": (MINE[:-10], r"mine.csv: subject: no row for 1 of the 2 subjects.*: b\."),
    "unknown subject": (MINE + "aa,1,0\n", r"mine.csv:4: subject: 'aa' is no subject.*mean 'a'\?"),
    "twice": (MINE + "a,1,0\n", r"mine.csv:4: subject: 'a' is in line 2 too"),
    "unnamed subject": (MINE + ",1,0\n", r"mine.csv:4: subject: this cell is empty"),
    "not finite": (MINE.replace("0.5", "nan"), r"mine.csv:3: x: .*finite, found nan"),
    "infinite": (MINE.replace("0.5", "inf"), r"mine.csv:3: x: .*finite, found inf"),
    "negative": (MINE.replace("1,0", "1.5,-0.5"), r"mine.csv:2: y: .*negative, found -0.5"),
    "per cent": (MINE.replace("1,0", "100,0"), r"mine.csv:2: x: .*above 1.*per cent"),
    "sum": (MINE.replace("0.5", "0.4"), r"mine.csv:3: the probabilities sum to 0.8, not to 1"),
    "all zero": (MINE.replace("0.5", "0"), r"mine.csv:3: the probabilities sum to 0, not"),
    "text": (MINE.replace("0.5", "half"), r"mine.csv:3: x: 'half' is no number\."),
    "decimal comma": (MINE.replace("0.5", '"0,5"'), r"mine.csv:3: x: '0,5'.*with a point"),
    "empty cell": (MINE.replace("1,0", "1,"), r"mine.csv:2: y: this cell is empty"),
    "unknown rule": (MINE.replace("x,y", "x,yy"), r"mine.csv:1: yy: no rule.*mean 'y'"),
    "missing rule": ("subject,x\na,1\nb,1\n", r"mine.csv:1: y: this column is missing"),
    "no subject": (MINE.replace("subject", "subjects"), r":1: subject: .*missing.*'subjects'"),
    "column twice": (MINE.replace("x,y", "x,x"), r"mine.csv:1: x: this column is there twice"),
    "index of pandas": (MINE.replace("subject", ""), r"mine.csv:1: column 1 has no name.*index"),
    "cells": (MINE + "c,1\n", r"mine.csv:4: 2 cells, and the header has 3 columns"),
    "not in the sum": (
        "subject,x,y,none_of_these\na,0.5,0,0.5\nb,0,1,0\n",
        r"mine.csv:2: the probabilities sum to 0.5.*none_of_these is not part of the sum",
    ),
    "detection in per cent": (
        "subject,x,y,none_of_these\na,1,0,50\nb,0,1,0\n",
        r"mine.csv:2: none_of_these: a probability must not be above 1",
    ),
    "one column and others": (
        "subject,x,none_of_these\na,1,0\nb,1,1\n",
        r"mine.csv:1: only 1 of the rules of .*labels.csv has a column",
    ),
    "semicolons": (MINE.replace(",", ";"), r"mine.csv:1: columns are separated by semicolons"),
    "tabs": (MINE.replace(",", "\t"), r"mine.csv:1: columns are separated by tabs"),
    "empty": ("", r"mine.csv: the file is empty"),
    "blank": ("\n \n", r"mine.csv: the file is empty"),
    "header alone": ("subject,x,y\n", r"mine.csv: the table has a header and no row"),
    "quote": (MINE + '"c,1,0\n', r"mine.csv:4: cannot be read as CSV"),
    "NUL": (MINE + "c,\0,0\n", r"mine.csv:4: has a NUL byte"),
    "latin": (MINE.encode() + b"caf\xe9,1,0\n", r"mine.csv:4: is not in UTF-8 \(byte 0xe9\)"),
    "UTF-16": (MINE.encode("utf-16"), r"mine.csv: is UTF-16"),
    "spreadsheet": (b"PK\x03\x04\x14", r"mine.csv: is a spreadsheet"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_fault_of_predictions_is_named_with_its_place(fault: str, tmp_path: Path) -> None:
    content, message = BAD[fault]
    truth, mine = tmp_path / "labels.csv", tmp_path / "mine.csv"
    truth.write_text(GOOD)
    mine.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=message):
        vl.score(mine, truth)


WRONG_LABELS = {
    "no rule": (GOOD.replace("rule", "rules"), r"labels.csv:1: rule: .*missing.*'rules'"),
    "one rule": (GOOD.replace("b,y", "b,x"), r"labels.csv: rule: .*two rules, found only 'x'"),
    "empty rule": (GOOD.replace("b,y", "b,"), r"labels.csv:3: rule: this cell is empty"),
    "twice": (GOOD + "a,y\n", r"labels.csv:4: subject: 'a' is in line 2 too"),
    "empty kind": ("subject,rule,kind\na,x,1\nb,y,\n", r"labels.csv:3: kind: this cell is empty"),
}


@pytest.mark.parametrize("fault", WRONG_LABELS)
def test_a_fault_of_labels_is_named_with_its_place(fault: str, tmp_path: Path) -> None:
    content, message = WRONG_LABELS[fault]
    truth, mine = tmp_path / "labels.csv", tmp_path / "mine.csv"
    truth.write_text(content)
    mine.write_text(MINE)
    with pytest.raises(UserError, match=message):
        vl.score(mine, truth)


def test_many_faults_are_shortened(tmp_path: Path, labels: Path) -> None:
    with pytest.raises(UserError, match=r"\n\.\.\. and 26 more\.$"):
        scored(tmp_path, labels, stated(0.5 * certain()))


def test_a_file_that_does_not_exist_is_answered_with_the_nearest(
    tmp_path: Path, labels: Path
) -> None:
    with pytest.raises(UserError, match=r"label.csv: .*no such file. Did you mean .*labels"):
        vl.score(tmp_path / "label.csv", labels)
    with pytest.raises(UserError, match="is a folder"):
        vl.score(tmp_path, labels)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, float("nan")])
def test_a_confidence_must_be_a_share(confidence: float, labels: Path) -> None:
    with pytest.raises(UserError, match="confidence: needs a number between 0 and 1"):
        vl.score(labels, labels, confidence=confidence)


def test_a_folder_for_the_scores_must_exist(tmp_path: Path, labels: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        vl.score(tmp_path / "none.csv", labels, save=tmp_path / "no" / "scores.json")
