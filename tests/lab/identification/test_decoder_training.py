"""Decoders that are trained on an experiment's subjects, and kept beside it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tests.lab.stages.tiny import tiny_plan, tiny_store
from virtuallab.decoder.features.samples import Samples
from virtuallab.errors import UserError
from virtuallab.lab.identification.decoder_training import (
    Decoder,
    DecoderSettings,
    DecoderTraining,
    digest,
)
from virtuallab.lab.services.workers import LocalPool
from virtuallab.lab.stages.experiment import Experiment
from virtuallab.probes import Probe
from virtuallab.store.decoders.persistence import load_decoder

RULES = (
    "subjects.rules=[backprop, {name: feedback_alignment, label: fa}, "
    "{name: backprop, label: slow}]"
)
ANALYSES = "analyses={main: {scheme: strict, folds: 2, inner_folds: 2, repeats: 1, others: [slow]}}"
PROBE = Probe(observables=("activity",), units=5, stimuli=8, visits=2)
# The subjects need not be trained, so there are no states of which null models could be made.
WANTED = DecoderSettings(others=(), classifier="kernel_svm", pool=LocalPool(1), nulls=())
QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Twelve subjects of three rules, which need not be trained."""
    plan = tiny_plan(RULES, ANALYSES, "subjects.replicates=4", cohorts=[range(12)])
    return Experiment(plan, tiny_store(tmp_path_factory.mktemp("training"), plan))


@pytest.fixture(scope="module")
def training(experiment: Experiment) -> DecoderTraining:
    return DecoderTraining(experiment, "p", PROBE, (), tuple(range(12)), WANTED)


@pytest.fixture(scope="module")
def first(training: DecoderTraining) -> Decoder:
    return training.decoder(Look(), "first", QUIET)


class Look:
    """Samples in which each rule has a column of its own; counts how often they are made."""

    def __init__(self, members: int = 12) -> None:
        self.times, self.members = 0, members

    def __call__(self) -> Samples:
        self.times += 1
        labels = np.repeat(["backprop", "fa", "slow"], 4)[: self.members]
        values = np.random.default_rng(0).normal(0, 0.1, (self.members, 6))
        for place, rule in enumerate(("backprop", "fa", "slow")):
            values[labels == rule, place] += 3
        return Samples(values, labels, np.arange(self.members), 2)


def test_groups_that_an_analysis_holds_out_do_not_matter(tmp_path: Path) -> None:
    networks = "subjects.architectures=[mlp, {name: mlp, hidden: [8]}]"
    held_out = ANALYSES.replace("folds: 2", "hold_out: architecture, references: true, folds: 2", 1)
    plan = tiny_plan(RULES, networks, held_out, "subjects.replicates=4", cohorts=[range(24)])
    experiment = Experiment(plan, tiny_store(tmp_path, plan))
    training = DecoderTraining(experiment, "p", PROBE, (), tuple(range(24)), WANTED)
    samples = Look(12)()
    both = replace(samples.take(np.tile(np.arange(12), 2)), owners=np.arange(24))
    trained, facts = training.decoder(lambda: both, "apart", QUIET)
    assert trained.rules == ("backprop", "fa")
    assert len(facts.subjects) == 16


def kept_at(training: DecoderTraining, name: str) -> Path:
    return training.experiment.beside("lab.decoders") / f"{name}.decoder"


def test_a_decoder_is_trained_on_the_rules_that_can_be_named(first: Decoder) -> None:
    trained, facts = first
    assert trained.rules == ("backprop", "fa")
    assert (facts.others, facts.n_subjects, facts.accuracy) == (("slow",), 8, 1.0)
    assert facts.interval[0] < facts.interval[1] == 1.0
    values = np.zeros((2, 6))
    values[0, 0] = values[1, 1] = 3
    probability = trained.predict(values).probability
    assert np.asarray(probability).argmax(1).tolist() == [0, 1]


def test_its_metadata_describe_the_training_recordings(first: Decoder) -> None:
    _, facts = first
    assert (facts.title, facts.question) == ("tiny", "Which rule?")
    assert (facts.architectures, facts.tasks) == (("mlp",), ("digits",))
    assert facts.learning_rates == (0.05, 0.05)
    assert (facts.units, facts.stimuli, facts.layers) == ((5, 5), (8, 8), (2, 2))
    assert (facts.visits, facts.last_step, facts.stages) == ((0, 2), 4, 2)
    assert facts.snr is None
    assert (facts.nominal_coverage, facts.confidence) == (0.9, 0.95)
    assert 0 <= facts.coverage <= 1
    assert facts.probe["units"] == 5


def test_a_decoder_that_is_kept_is_used_again_without_a_look(training: DecoderTraining) -> None:
    look, page = Look(), io.StringIO()
    console = Console(file=page, width=300)
    first, facts = training.decoder(look, "kept", console)
    again, same = training.decoder(look, "kept", console)
    assert look.times == 1
    assert same == facts == load_decoder(kept_at(training, "kept"))[1]
    values = look().values
    np.testing.assert_array_equal(
        first.predict(values).probability, again.predict(values).probability
    )
    said = page.getvalue()
    assert "training a decoder on 12 subjects" in said
    assert "steps: 4 of 4" in said, "two folds, held-out kinds, and the decoder itself"
    assert f"Decoder: {kept_at(training, 'kept')}, kept for the next recording like this" in said


Change = Callable[[DecoderTraining], DecoderTraining]
CHANGES: dict[str, Change] = {
    "classifier": lambda t: replace(t, wanted=replace(WANTED, classifier="linear_svm")),
    "probe": lambda t: replace(t, probe=replace(PROBE, units=6)),
    "absent columns": lambda t: replace(t, absent=(5,)),
    "members": lambda t: replace(t, members=tuple(range(11))),
    "others": lambda t: replace(t, wanted=replace(WANTED, others=("fa",))),
}


def test_all_that_decides_a_decoder_is_part_of_its_digest(training: DecoderTraining) -> None:
    every = [training, *(change(training) for change in CHANGES.values())]
    found = [each._fingerprint(each._analysis()) for each in every]
    assert len({*found}) == len(every)
    workers = replace(training, wanted=replace(WANTED, pool=LocalPool(2)))
    assert workers._fingerprint(workers._analysis()) == found[0], "workers decide nothing"


def test_a_decoder_that_does_not_fit_is_trained_anew(training: DecoderTraining) -> None:
    look = Look()
    training.decoder(look, "other", QUIET)
    _, facts = CHANGES["absent columns"](training).decoder(look, "other", QUIET)
    assert look.times == 2
    assert facts.absent == (5,)


def test_a_damaged_decoder_is_trained_anew(training: DecoderTraining) -> None:
    look = Look()
    _, facts = training.decoder(look, "damaged", QUIET)
    (kept_at(training, "damaged") / "model.skops").write_bytes(b"damaged")
    assert training.decoder(look, "damaged", QUIET)[1] == facts
    assert look.times == 2


def test_what_columns_hold_that_are_left_out_decides_nothing(training: DecoderTraining) -> None:
    """A decoder without them is the same, whatever the training subjects have there."""
    without, samples = replace(training, absent=(0, 1)), Look()()
    other = replace(samples, values=samples.values.copy())
    other.values[:, :2] = np.random.default_rng(1).normal(0, 9, (12, 2))
    (one, facts), (two, same) = (
        without.decoder(lambda each=each: each, name, QUIET)  # type: ignore[misc]
        for name, each in (("one", samples), ("two", other))
    )
    assert facts == same
    assert facts.accuracy < 1, "the columns that tell the rules apart are left out"
    there = np.where(np.isin(np.arange(6), facts.absent), np.nan, samples.values)
    np.testing.assert_array_equal(one.predict(there).probability, two.predict(there).probability)


def test_columns_without_a_value_in_training_are_left_out(training: DecoderTraining) -> None:
    samples = Look()()
    empty = replace(samples, values=samples.values.copy())
    empty.values[:, 4] = np.nan
    _, facts = training.decoder(lambda: empty, "empty", QUIET)
    assert facts.absent == (4,)


def test_where_it_cannot_be_kept_the_decoder_is_returned_all_the_same(
    training: DecoderTraining,
) -> None:
    place = kept_at(training, "blocked")
    place.parent.mkdir(exist_ok=True)
    place.write_text("theirs")
    page = io.StringIO()
    trained, _ = training.decoder(Look(), "blocked", Console(file=page, width=300))
    assert trained.rules == ("backprop", "fa")
    assert "The decoder could not be kept for the next recording: " in page.getvalue()
    assert place.read_text() == "theirs"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (replace(WANTED, others=("slwo",)), r"^--others: .*'slwo'.*Did you mean 'slow'"),
        (replace(WANTED, classifier="svm"), r"^--classifier: no classifier 'svm'"),
        (replace(WANTED, others=("slow", "fa")), "rule"),
    ],
)
def test_settings_that_are_not_possible_are_named_by_their_option(
    wanted: DecoderSettings, message: str, training: DecoderTraining
) -> None:
    look = Look()
    with pytest.raises(UserError, match=message):
        replace(training, wanted=wanted).decoder(look, "refused", QUIET)
    assert look.times == 0


@pytest.mark.parametrize(
    ("members", "left"), [(range(4), "0 of 'fa'"), (range(6), "2 of 'fa'"), ((), "0 of 'fa'")]
)
def test_subjects_that_diverged_are_named_where_too_few_are_left(
    members: Sequence[int], left: str, training: DecoderTraining
) -> None:
    words = (
        f"^too few subjects remain to train a decoder: .*{left}, where 4 of each rule are needed. "
        f"{10 - len(members)} of 12 subjects diverged: lower the learning rates, or the strengths"
    )
    wanted = replace(WANTED, others=("slow",))
    few = replace(training, members=(*members, 8, 9), wanted=wanted)
    with pytest.raises(UserError, match=words):
        few.decoder(Look(), "refused", QUIET)


def test_subjects_that_diverged_are_not_blamed_for_what_they_did_not_cause(
    training: DecoderTraining,
) -> None:
    wanted = replace(WANTED, others=("fa", "slow"))
    few = replace(training, members=tuple(range(11)), wanted=wanted)
    with pytest.raises(UserError, match="only one rule, 'backprop', to identify beside 'others'"):
        few.decoder(Look(), "refused", QUIET)


def test_a_digest_depends_on_values_and_not_on_the_order_of_keys() -> None:
    one = digest("1.0", {"a": 1, "b": (2, 3)})
    assert len(one) == 64
    assert int(one, 16) > 0
    assert digest("1.0", {"b": [2, 3], "a": 1}) == one
    assert digest("1.0", {"a": 1, "b": (3, 2)}) != one
    assert digest("1.0") != digest("1.0", None)


def of_three_kinds(folder: Path, *settings: str, **wanted: object) -> DecoderTraining:
    """A training on 72 subjects of three networks, which need not be trained."""
    networks = (
        "subjects.architectures=[{name: mlp, hidden: [4]}, {name: convnet, depth: 1, channels: 2},"
        " {name: knet4, channels: [2, 2, 2]}]"
    )
    analyses = ANALYSES.replace(", others: [slow]", "")
    rules = "subjects.rules=[backprop, {name: feedback_alignment, label: fa}]"
    plan = tiny_plan(
        rules, networks, analyses, "subjects.replicates=12", *settings, cohorts=[range(72)]
    )
    experiment = Experiment(plan, tiny_store(folder, plan))
    own = replace(WANTED, classifier="logistic_regression", **wanted)  # type: ignore[arg-type]
    return DecoderTraining(experiment, "p", PROBE, (), tuple(range(72)), own)


def shifted(training: DecoderTraining) -> Samples:
    """Samples in which rules lie 3 apart in one column, and kinds 30."""
    labels = training._labels
    kinds = np.array([training.experiment.plan.subjects[i].architecture.name for i in range(72)])
    values = np.random.default_rng(0).standard_normal((72, 6))
    values[labels == "fa", 0] += 3
    for place, kind in enumerate(("mlp", "convnet", "knet4")):
        values[kinds == kind, 0] += 30 * place
    return Samples(values, labels, np.arange(72), 2)


def test_a_referenced_decoder_reads_a_kind_that_lies_apart(tmp_path: Path) -> None:
    training = of_three_kinds(tmp_path, referenced=True)
    samples = shifted(training)
    decoder, facts = training.decoder(lambda: samples, "p", QUIET)
    assert decoder.centres is not None
    assert facts.kind_names == ("convnet digits", "knet4 digits", "mlp digits")
    found = {each.references: each for each in facts.held_out_kinds}
    assert found["all rules"].accuracy > 0.8
    assert found["none"].accuracy < 0.7
    assert found["its own rule"].accuracy < 0.6
    assert found["none"].interval[0] < found["none"].accuracy < found["none"].interval[1]
    stream = np.random.default_rng(1)
    places = np.repeat([0.0, 3.0], 20)
    new = stream.standard_normal((40, 6))
    new[:, 0] += 500 + places
    truth = np.where(places > 0, "fa", "backprop")
    twins = stream.standard_normal((60, 6))
    twins[:, 0] += 500 + np.repeat([3.0, 0.0], 30)
    answers = decoder.predict(new, twins).rule.to_numpy()
    assert (answers == truth).mean() > 0.8
    # Without twins all are as far from the training kinds, and have one answer.
    alone = decoder.predict(new, np.empty((0, 6))).rule.to_numpy()
    assert (alone == truth).mean() < 0.7
    # Twins of the recording's own rule alone are worse.
    own = decoder.predict(new[20:], twins[:30]).rule.to_numpy()
    assert (own == "fa").mean() < 0.8
    kept = kept_at(training, "p-referenced")
    assert load_decoder(kept)[0].centres is not None
    plain, same = replace(training, wanted=replace(training.wanted, referenced=False)).decoder(
        lambda: samples, "p", QUIET
    )
    assert plain.centres is None
    assert same.held_out_kinds == facts.held_out_kinds, "both are of values as they are"
