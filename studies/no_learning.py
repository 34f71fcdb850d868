"""Is "no learning" answered where nothing was learned? ``python studies/no_learning.py``.

A decoder is trained on subjects of protocols/quickstart.yaml and on null models of them. It is then
given recordings of other subjects, of another seed: 50 of each null model, and of all that learned.
Each null model is also left out of training. Recordings of five kinds that share no code with
virtuallab (tests/lab/elsewhere_nulls.py) are identified as a user would. Takes a quarter of an hour
on two cores, with runs/quickstart.zarr if it exists. Writes docs/science/results/no_learning.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console
from scipy.stats import beta

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.lab import elsewhere, elsewhere_nulls  # noqa: E402  # the tests' laboratory, not ours
from virtuallab.decoder.features.samples import Samples  # noqa: E402
from virtuallab.decoder.fitted_decoder import FittedDecoder  # noqa: E402
from virtuallab.decoder.uncertainty.no_learning import NullSamples  # noqa: E402
from virtuallab.lab.identification.identify import identify  # noqa: E402
from virtuallab.lab.identification.matched_decoder import recorded_samples  # noqa: E402
from virtuallab.lab.identification.null_recordings import EACH, null_samples  # noqa: E402
from virtuallab.lab.run import run  # noqa: E402
from virtuallab.lab.services.resources import cores  # noqa: E402
from virtuallab.lab.services.workers import LocalPool  # noqa: E402
from virtuallab.lab.stages.experiment import Experiment, resume  # noqa: E402
from virtuallab.lab.stages.nodes import living  # noqa: E402
from virtuallab.probes import Probe  # noqa: E402
from virtuallab.registry import CLASSIFIERS, NOISE_MODELS, NULL_MODELS  # noqa: E402
from virtuallab.reporting.style import pretty  # noqa: E402
from virtuallab.reporting.tables.identification import verdict  # noqa: E402
from virtuallab.store import Store  # noqa: E402
from virtuallab.vocabulary import ACTIVITY, NO_LEARNING  # noqa: E402

PROTOCOL = ROOT / "protocols" / "quickstart.yaml"
RESULT = ROOT / "docs" / "science" / "results" / "no_learning.md"
TRAIN, TEST = Path("runs/quickstart.zarr"), Path("runs/no_learning.zarr")
TEST_SEED, CONFIDENCE, COVERAGE = 2021, 0.95, 0.9
QUIET = Console(quiet=True)
DESIGNS = {
    "50 units": Probe(units=50, observables=(ACTIVITY,)),
    "200 units": Probe(units=200, observables=(ACTIVITY,)),
    "all units": Probe(units="all", observables=(ACTIVITY,)),
    "200 noisy units, 5 visits": Probe(
        units=200, visits=5, noise=NOISE_MODELS["gaussian"](snr=1.0), observables=(ACTIVITY,)
    ),
}


def subjects(path: Path, seed: int) -> Experiment:
    """Trained subjects of the protocol, from a store that is made or finished first."""
    run(PROTOCOL, [f"seed={seed}"], store=path)
    return resume(Store.open(path))


def recorded(experiment: Experiment, probe: Probe, each: int) -> tuple[Samples, NullSamples]:
    """Samples of all subjects, and of their null models."""
    pool = LocalPool(cores())
    samples = recorded_samples(experiment, probe, pool, QUIET)
    members = sorted(living(experiment.store))
    nulls = null_samples(
        experiment, probe, members, tuple(NULL_MODELS), each=each, pool=LocalPool(cores())
    )
    assert nulls is not None
    return samples, nulls


def without(nulls: NullSamples, kind: str) -> NullSamples:
    """Null recordings of all models but one."""
    kept = nulls.kinds != kind
    return NullSamples(nulls.values[kept], nulls.kinds[kept], nulls.owners[kept])


def trained(experiment: Experiment, samples: Samples, nulls: NullSamples) -> FittedDecoder:
    """A decoder as ``identify`` trains it."""
    group_of = {i: group.name for group in experiment.plan.network_groups for i in group.members}
    members = sorted(living(experiment.store))
    return FittedDecoder.train(
        CLASSIFIERS["kernel_svm"](),
        samples,
        sorted(set(samples.labels.tolist())),
        inner_folds=3,
        seed=experiment.plan.protocol.seed,
        nulls=nulls,
        kinds=np.array([group_of[index] for index in members]),
    )


def answers(decoder: FittedDecoder, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether no learning is excluded, and whether a single rule is all that is left."""
    sets = decoder.predict(values).sets(COVERAGE)
    excluded = ~sets.sel(rule=NO_LEARNING).to_numpy()
    return excluded, excluded & (sets.to_numpy().sum(1) == 1)


def counted(hits: np.ndarray) -> str:
    """Number, share, and the upper limit of the share (Clopper and Pearson, one-sided)."""
    wrong, count = int(hits.sum()), len(hits)
    high = 1.0 if wrong == count else float(beta.ppf(CONFIDENCE, wrong + 1, count - wrong))
    return f"{wrong} of {count} ({100 * wrong / count:.1f} %, at most {100 * high:.1f} %)"


def of_design(name: str, train: Experiment, test: Experiment, each: int) -> list[list[str]]:
    """Rows of the table of one design."""
    samples, nulls = recorded(train, DESIGNS[name], EACH)
    learned, tested = recorded(test, DESIGNS[name], each)
    decoder = trained(train, samples, nulls)
    excluded, single = answers(decoder, tested.values)
    power = answers(decoder, learned.values)[0]
    right = decoder.predict(learned.values)
    coverage = right.sets(COVERAGE).to_numpy()[
        np.arange(len(learned.labels)), np.searchsorted(decoder.rules, learned.labels)
    ]
    rows = [
        [name, "all null models", counted(excluded), counted(single)],
        [name, "subjects that learned", counted(power), f"rule in the set: {counted(coverage)}"],
    ]
    left_out = {}
    for kind in NULL_MODELS:
        mine = tested.values[tested.kinds == kind]
        left_out[kind] = answers(trained(train, samples, without(nulls, kind)), mine)
    rows.append(
        [
            name,
            "null models not in training, pooled",
            counted(np.concatenate([each for each, _ in left_out.values()])),
            counted(np.concatenate([each for _, each in left_out.values()])),
        ]
    )
    for kind, (mine, alone) in left_out.items():
        rows.append([name, f"{pretty(kind)}, not in training", counted(mine), counted(alone)])
    return rows


def of_elsewhere(each: int, folder: Path) -> list[list[str]]:
    """Rows of recordings that were made elsewhere, identified with ``--match``."""
    rows = []
    for label, record in (
        *((kind, elsewhere_nulls.record) for kind in elsewhere_nulls.KINDS),
        *((rule, elsewhere.record) for rule in elsewhere.RULES),
    ):
        said, excluded = [], []
        for seed in range(each):
            file = folder / f"{label}-{seed}.nc"
            record(label, seed, file)
            found = identify(TRAIN, file, match=True, fractions=True)
            said.append(verdict(found))
            excluded.append(not bool(found["in_set"].sel(rule=NO_LEARNING)))
        starts = ("No learning", "Cannot tell", "Outside", "Most similar", "The rule is")
        counts = [sum(text.startswith(start) for text in said) for start in starts]
        counts.append(len(said) - sum(counts))
        rows.append([pretty(label), counted(np.array(excluded)), *map(str, counts)])
    return rows


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def main() -> None:
    """Train, record, count and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=50, help="recordings of each null model")
    parser.add_argument("--elsewhere", type=int, default=10, help="recordings of each kind")
    asked = parser.parse_args()
    os.chdir(ROOT)
    train, test = subjects(TRAIN, 2020), subjects(TEST, TEST_SEED)
    rows: list[list[str]] = []
    for name in DESIGNS:
        rows += of_design(name, train, test, asked.each)
        print("\n".join(" | ".join(row) for row in rows if row[0] == name), flush=True)
    with TemporaryDirectory() as folder:
        abroad = of_elsewhere(asked.elsewhere, Path(folder))
    lines = [
        *table(["recorded", "recordings", "no learning excluded", "one rule left"], rows),
        "",
        *table(
            [
                "made elsewhere",
                "no learning excluded",
                "no learning",
                "cannot tell",
                "outside",
                "most similar",
                "a rule",
                "other",
            ],
            abroad,
        ),
    ]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
