from __future__ import annotations

import io

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from virtuallab.reporting.tables.identification import (
    coarse_verdicts,
    distance,
    identification_summary,
    remarks,
    verdict,
)


def found(
    inside: tuple[bool, ...] = (True, False, False),
    familiar: float = 0.5,
    typical: float = 0.5,
    **attributes: object,
) -> xr.Dataset:
    return xr.Dataset(
        {
            "probability": ("rule", [0.7, 0.1, 0.2]),
            "p_value": ("rule", [0.6, 0.01, 0.2]),
            "in_set": ("rule", np.array(inside)),
            "changed": 0.01,
            "familiar": familiar,
            "typical": typical,
        },
        coords={"rule": np.array(["adam", "feedback_alignment", "sgdm"], dtype=object)},
        attrs={
            "title": "ours",
            "classifier": "kernel_svm",
            "observable": "activity",
            "others": ["hebbian"],
            "coverage": 0.9,
            "accuracy": 0.91,
            "interval": [0.85, 0.95],
            "n_subjects": 96,
            "measured_coverage": 0.894,
            "kinds": 1,
            "kind_names": ["knet4 digits"],
            "held_out_kinds": {},
            "references": 0,
            "fewest": 24,
            "excluded": {},
            "differences": [],
            "notes": [],
            **attributes,
        },
    )


def with_none(
    case: xr.Dataset, probability: float, inside: bool, changed: float = 0.01
) -> xr.Dataset:
    """An identification by a decoder that may also answer that nothing was learned."""
    added = xr.Dataset(
        {
            "probability": ("rule", [probability]),
            "p_value": ("rule", [0.5 if inside else 0.01]),
            "in_set": ("rule", [inside]),
        },
        coords={"rule": np.array(["no learning"], dtype=object)},
    )
    scalars = ["changed", "familiar", "typical"]
    joined = xr.concat([case.drop_vars(scalars), added], dim="rule").assign(
        {name: case[name] for name in scalars}
    )
    return joined.assign(changed=changed).assign_attrs(case.attrs)


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (
            found(),
            "The rule is Adam (probability 0.70), if it is one of these 3: no other is in the 90 %",
        ),
        (
            found((True, False, True)),
            "Most similar to Adam (probability 0.70); SGD, momentum cannot be excluded.",
        ),
        (
            found((False, False, True)),
            "SGD, momentum cannot be excluded. Most similar to Adam (probability 0.70), which is "
            "excluded.",
        ),
        (
            found((True, True, True)),
            "Cannot tell: all 3 rules are in the 90 % prediction set. Most similar to Adam (",
        ),
        (
            found(interval=[0.3, 0.6]),
            "Cannot tell. The decoder is not shown to be more accurate than guessing, so its",
        ),
        (
            with_none(found(interval=[0.3, 0.6]), 0.3, True),
            "no learning cannot be excluded. The decoder is not shown to be more accurate than",
        ),
        (found(familiar=0.04), "None of these rules: only 4.0 % of the recordings of known rules"),
        (found(typical=0.0), "Outside the range of this decoder: the recording differs more from"),
        (found(typical=0.0, familiar=0.01), "No rule is identified."),
        (
            with_none(found((False, False, False)), 0.98, True),
            "No learning (probability 0.98): no rule is in the prediction set. The recording "
            "changes, but not as in subjects that learned.",
        ),
        (
            with_none(found((False, False, False)), 0.98, True, changed=0.4),
            "and the recording is not shown to change beyond its noise.",
        ),
        (
            with_none(found((False, False, False)), 0.98, True, changed=np.nan),
            "Whether the recording changed beyond its noise was not measured.",
        ),
        (
            with_none(found(), 0.3, True),
            "Cannot tell whether anything was learned: no learning cannot be excluded. Of the "
            "rules, most similar to Adam (probability 0.70).",
        ),
        (
            with_none(found((False, False, False)), 0.4, True),
            "Cannot tell whether anything was learned",
        ),
        (with_none(found(), 0.01, False), "The rule is Adam (probability 0.70), if it is one of"),
        (
            with_none(found((True, True, True)), 0.01, False),
            "Cannot tell: all 3 rules are in the 90 % prediction set.",
        ),
        (with_none(found(familiar=0.01), 0.6, True), "as novel. No learning cannot be excluded."),
        # Outside of what is known comes first, whatever is excluded.
        (with_none(found((False,) * 3, typical=0.0), 0.98, True), "Outside the range of this"),
        (
            found((False, False, False)),
            "No rule is identified: none is in the 90 % prediction set.",
        ),
        # Without others there is nothing from which what is none of these could be known.
        (found(familiar=0.04, others=[]), "The rule is Adam"),
    ],
)
def test_the_verdict_in_a_sentence(case: xr.Dataset, said: str) -> None:
    assert said in verdict(case)


def test_notes_on_the_recording_are_remarks() -> None:
    said = list(remarks(found(notes=["3 of 12 trials of \x1b[31m.nwb overlap invalid_times."])))
    assert "Notes on the recording:" in said
    assert "  3 of 12 trials of \\x1b[31m.nwb overlap invalid_times." in said


def test_the_accuracy_of_the_decoder_and_missing_outliers_are_remarks() -> None:
    own, _, calibrated = remarks(found())
    assert "accuracy among rules of 0.91 [0.85, 0.95] on subjects not used for training" in own
    assert "chance among 3 rules is 0.33" in own
    assert (
        "may be too certain for others; the 90 % sets contain the true rule in 89 %" in calibrated
    )
    assert "an unknown rule is forced into one of these classes" in "".join(
        remarks(found(others=[]))
    )


def test_why_run_reports_another_accuracy_is_a_remark() -> None:
    own, *_ = remarks(found())
    assert own.endswith("the accuracy that run reports for the same recordings may differ.")


def test_at_chance_no_statement_rests_on_the_probabilities() -> None:
    case = at_level((True, False, False), interval=(0.45, 0.6)).assign_attrs(interval=[0.3, 0.6])
    written = io.StringIO()
    console = Console(width=400, file=written, force_terminal=True, color_system="standard")
    console.print(identification_summary(case))
    said = written.getvalue()
    assert "(probability" not in said
    assert "calibrated" not in said
    assert said.count("so its probabilities of rules are no evidence") == 3
    [row] = [line for line in said.splitlines() if "Adam" in line and "yes" in line]
    assert "\x1b[2m" in row


def test_differences_have_a_line_each() -> None:
    told = list(remarks(found(differences=["units: 5, trained on 20", "layers: 1, trained on 4"])))
    assert told[-2:] == ["  units: 5, trained on 20", "  layers: 1, trained on 4"]


def test_the_table_has_the_likeliest_first() -> None:
    written = io.StringIO()
    Console(width=100, file=written).print(identification_summary(found()))
    lines = written.getvalue().splitlines()
    rows = [line.split() for line in lines if line.strip().endswith(("yes", "no"))]
    assert [row[0] for row in rows] == ["Adam", "SGD,", "feedback"]
    assert [row[-1] for row in rows] == ["yes", "no", "no"]


def test_chance_counts_the_rules_alone() -> None:
    own, *_ = remarks(with_none(found(), 0.01, False))
    assert "chance among 3 rules is 0.33" in own


def test_how_predictions_are_calibrated_is_a_remark() -> None:
    _, _, calibrated = remarks(found(kinds=4))
    assert "No learning is calibrated within these kinds." in calibrated
    assert "on 4 kinds of networks (architecture and task), each held out of training" in calibrated


NAMES = ["convnet digits", "knet4 digits", "mlp digits"]
HELD_OUT = {
    "none": [0.41, 0.3, 0.52],
    "10 of all rules": [0.6, 0.5, 0.7],
    "all rules": [0.65, 0.55, 0.75],
    "its own rule": [0.33, 0.25, 0.41],
}


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({}, "The training subjects are of one kind; the accuracy on another kind is unknown."),
        (
            {"kind_names": NAMES[:2]},
            "The accuracy on a kind that is not in training is unknown: without one of the 2 kinds,"
            " too few subjects of some rule are left to train on.",
        ),
        (
            {"kind_names": NAMES[:2], "held_out_kinds": {"none": HELD_OUT["none"]}},
            "On a kind that is not in training (each of 2 kinds held out in turn), the balanced "
            "accuracy is 0.41 [0.30, 0.52] without references; with references (--reference), "
            "three kinds or more would show it.",
        ),
        (
            {"kind_names": NAMES, "held_out_kinds": HELD_OUT},
            "On a kind that is not in training (each of 3 kinds held out in turn), the balanced "
            "accuracy is 0.41 [0.30, 0.52] without references; with references of that kind "
            "(--reference) it is 0.60 [0.50, 0.70] with 10 of all rules, 0.65 [0.55, 0.75] with "
            "half of the kind's subjects and 0.33 [0.25, 0.41] with references that share the rule "
            "to be identified.",
        ),
    ],
)
def test_the_accuracy_on_another_kind_is_a_remark(attributes: dict[str, object], said: str) -> None:
    _, told, *_ = remarks(found(**attributes))  # type: ignore[arg-type]
    assert told == said


def test_what_references_have_to_be_is_a_remark() -> None:
    assert not any("References of one" in told for told in remarks(found()))
    [said] = [told for told in remarks(found(references=1)) if "References of one" in told]
    assert said.startswith("Features are read relative to the centre of 1 reference of the")
    assert "References of one unknown rule remove the signal" in said


def test_too_few_subjects_to_exclude_a_rule_is_a_remark() -> None:
    said = list(remarks(found(fewest=8)))
    assert said[3] == (
        "The rarest rule has 8 subjects: a 90 % prediction set can exclude a rule with 9 subjects "
        "or more."
    )
    assert len(list(remarks(found(fewest=9)))) == 3


def test_how_often_no_learning_is_excluded_is_a_remark() -> None:
    said = list(remarks(found(excluded={"learning": 0.96, "frozen": 0.0, "weight_walk": 0.04})))
    assert said[3] == (
        "No learning is excluded in 96 % of subjects that learned, and in 2 % of recordings of "
        "null models that were not in training, at most 4 % (weight walk)."
    )


@pytest.mark.parametrize(
    ("typical", "percentile", "place"), [(1.0, 0, 0), (0.5, 50, 20), (0.0, 100, 39)]
)
def test_the_distance_is_a_percentile_with_a_picture(
    typical: float, percentile: int, place: int
) -> None:
    said, picture = distance(found(typical=typical)).splitlines()
    assert said.endswith(f"percentile {percentile} of theirs")
    line = picture.split("|")[1]
    assert (len(line), line.index("x"), line.count("x")) == (40, place, 1)


def test_the_verdict_stands_first_and_the_table_of_a_recording_outside_is_dimmed() -> None:
    for case, dimmed in ((found(), False), (found(typical=0.0), True)):
        written = io.StringIO()
        console = Console(width=100, file=written, force_terminal=True, color_system="standard")
        console.print(identification_summary(case))
        lines = written.getvalue().splitlines()
        assert verdict(case)[:40] in lines[0]
        [row] = [line for line in lines if "Adam" in line and "yes" in line]
        assert ("\x1b[2m" in row) == dimmed


def at_level(
    inside: tuple[bool, ...], interval: tuple[float, float] = (0.8, 0.9), **settings: float
) -> xr.Dataset:
    """An identification with a level of two optimizers and no learning."""
    groups = np.array(["adam", "sgd", "no learning"], dtype=object)
    attributes = {"level": "optimizer", "question": "Which optimizer?", "interval": [*interval]}
    return found(**settings).assign(  # type: ignore[arg-type]
        optimizer_probability=xr.DataArray(
            [0.7, 0.28, 0.02], {"optimizer": groups}, ("optimizer",), attrs=attributes
        ),
        optimizer_in_set=("optimizer", list(inside)),
    )


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (
            at_level((True, False, False)),
            "Which optimizer? Adam (probability 0.70); no other is in the 90 % prediction set.",
        ),
        (
            at_level((True, True, False)),
            "Which optimizer? Most similar to Adam (probability 0.70); SGD cannot be excluded.",
        ),
        (
            at_level((False, True, False)),
            "Which optimizer? Cannot tell; most similar to Adam (probability 0.70).",
        ),
        (
            at_level((True, True, True)),
            "Which optimizer? Cannot tell; most similar to Adam (probability 0.70).",
        ),
        (
            at_level((False, False, False)),
            "Which optimizer? Cannot tell; most similar to Adam (probability 0.70).",
        ),
        # A decoder that is not shown to distinguish the two groups answers nothing.
        (
            at_level((True, False, False), interval=(0.45, 0.6)),
            "Which optimizer? Cannot tell: the decoder is not shown to be more accurate than "
            "guessing, so its probabilities of rules are no evidence.",
        ),
    ],
)
def test_a_coarser_question_has_an_answer_of_its_own(case: xr.Dataset, said: str) -> None:
    assert list(coarse_verdicts(case)) == [said]


def test_coarser_answers_stand_above_the_verdict_and_not_where_a_recording_is_outside() -> None:
    written = io.StringIO()
    case = at_level((True, False, False))
    Console(width=120, file=written).print(identification_summary(case))
    first, second, *_ = written.getvalue().splitlines()
    assert first.startswith("Which optimizer? Adam")
    assert second.startswith("The rule is Adam")
    assert not list(coarse_verdicts(at_level((True, False, False), typical=0.0)))
    assert not list(coarse_verdicts(found()))
    assert not list(coarse_verdicts(at_level((True, False, False), familiar=0.01)))
    nothing = at_level((False, False, True)).assign(in_set=("rule", [False] * 3))
    assert not list(coarse_verdicts(nothing)), "there is no rule to ask of"
