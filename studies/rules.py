"""How well does each rule learn? Table and curves: ``python studies/rules.py``, half an hour.

MNIST-5k, a small convolutional network, and a multilayer perceptron for rules that are defined for
dense layers or learn from noise. For each rule an optimizer and a learning rate are selected on 400
images with separate subjects; five other subjects are then trained and tested on 1,000 images that
had no part in the selection. Cost is the time of a step divided by that of backpropagation, taking
turns in one process. Writes docs/science/results/rules.md and docs/images/rules.png.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from joblib import Parallel, delayed

from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.learning.locality import locality, needs_by_availability
from virtuallab.subject.network.initialization import template_network
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.parameter_layout import parameter_layout
from virtuallab.subject.network.population import populate
from virtuallab.subject.network.random_streams import RandomStreams
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.evaluation import CohortEvaluation
from virtuallab.subject.training.outcome import Visit
from virtuallab.subject.training.trainer import CohortTrainer, train

matplotlib.use("Agg")
import matplotlib.pyplot as plt

DOCS = Path(__file__).parent.parent / "docs"
TASK = TASKS["mnist_5k"](train_images=3600, validation_images=400, probe_images=1000)
NETS = {
    "conv": ARCHITECTURES["knet4"](channels=(8, 16, 16)),
    "mlp": ARCHITECTURES["mlp"](hidden=(128, 64)),
}
SGD, ADAM = (0.003, 0.01, 0.03, 0.1), (3e-4, 1e-3, 3e-3)
SMALL: dict[str, Any] = {"sgd": (3e-5, 1e-4, 3e-4, 1e-3), "adam": (1e-4, 3e-4, 1e-3, 3e-3)}
MLP: dict[str, Any] = {"net": "mlp", "epochs": 20}
LONG: dict[str, Any] = {"net": "mlp", "epochs": 40, **SMALL}


@dataclass(frozen=True)
class Entry:
    """One line of the table."""

    label: str
    rule: str
    settings: dict[str, Any] = field(default_factory=dict)
    tries: tuple[dict[str, Any], ...] = ({},)  # further settings, of which one is chosen
    net: str = "conv"
    sgd: tuple[float, ...] = SGD
    adam: tuple[float, ...] = ADAM
    epochs: int = 6
    needs: str = ""  # where these settings need something else than the rule's own do
    local: str = ""


# How much faster than the read-out's the hidden layers' plasticity may be before it undoes what the
# read-out has learned, nobody knows beforehand.
PACES = tuple({"rate": rate} for rate in (0.001, 0.01, 0.1, 1.0))

ENTRIES = [
    Entry("backprop", "backprop"),
    Entry("feedback alignment", "feedback_alignment"),
    Entry("weight mirror, noise phases", "weight_mirror"),
    Entry(
        "weight mirror, own activity",
        "weight_mirror",
        {"activity": "own", "alternate": 0, "amp": 0.02, "decay": 0.01},
        needs="its input; its neuron's response; an error through backward weights that learn",
        local="yes",
    ),
    Entry("information alignment", "information_alignment"),
    Entry("Kolen-Pollack", "kolen_pollack"),
    Entry("symmetric alignment", "symmetric_alignment"),
    Entry("activation alignment", "activation_alignment"),
    Entry("sign symmetry, uniform", "sign_symmetry"),
    Entry("sign symmetry, fixed", "sign_symmetry", {"magnitudes": "fixed"}),
    Entry("sign symmetry, batchwise", "sign_symmetry", {"magnitudes": "batchwise"}),
    Entry("direct feedback alignment", "direct_feedback_alignment"),
    Entry("direct random target projection", "direct_random_target_projection"),
    Entry("control: hidden layers frozen", "hebbian", {"rate": 1e-30}, needs="nothing"),
    Entry("Hebbian", "hebbian", tries=PACES),
    Entry("Oja", "oja", tries=PACES),
    Entry("BCM", "bcm", tries=PACES),
    Entry("forward-forward", "forward_forward"),
    Entry("predictive coding", "predictive_coding"),
    Entry("node perturbation", "node_perturbation", **SMALL),
    Entry("weight perturbation", "weight_perturbation", **SMALL),
    Entry("reward-modulated Hebbian", "reward_modulated_hebbian", **SMALL),
    Entry("backprop", "backprop", **MLP),
    Entry("control: hidden layers frozen", "hebbian", {"rate": 1e-30}, **MLP, needs="nothing"),
    Entry("difference target propagation", "difference_target_propagation", **MLP),
    Entry("predictive coding", "predictive_coding", **MLP),
    Entry("forward-forward", "forward_forward", **MLP),
    Entry("node perturbation", "node_perturbation", **LONG),
    Entry("weight perturbation", "weight_perturbation", **LONG),
    Entry("reward-modulated Hebbian", "reward_modulated_hebbian", **LONG),
]


def subject(entry: Entry, optimizer: str, rate: float, number: int) -> Subject:
    """One subject; its replicate number decides everything random about it."""
    return Subject(
        architecture=NETS[entry.net],
        task=TASK,
        rule=RULES[entry.rule](**entry.settings),
        optimizer=OPTIMIZERS[optimizer](learning_rate=rate),
        label=entry.label,
        batch_size=32,
        steps=entry.epochs * (TASK.train_images // 32),
        replicate=number,
        seed=30,
    )


def learned(subjects: list[Subject], visits: int = 2) -> list[Visit]:
    """Train the subjects as one cohort; visits lie evenly, the first before learning."""
    seen: list[Visit] = []
    steps = np.rint(np.linspace(0, subjects[0].steps, visits)).astype(int).tolist()
    train(Cohort(tuple(subjects)), steps, seen.append)
    return seen


def held_out(subjects: list[Subject], visit: Visit) -> np.ndarray:
    """Accuracy on the test images, which had no part in the selection."""
    make = subjects[0].architecture, subjects[0].task
    population = populate([template_network(*make)] * len(subjects))
    parameter_layout(*make).load(population, torch.from_numpy(visit.state))
    network = Network(population, RandomStreams([0] * len(subjects)), 1)
    return CohortEvaluation(*make, TASK.train(), TASK.stimuli()).measure(network)[1].numpy()


def chosen(entry: Entry) -> tuple[dict[str, Any], str, float]:
    """Settings, optimizer and rate at which two subjects did best on the 400 images."""
    best, accuracy = (entry.tries[0], "sgd", entry.sgd[0]), -1.0
    for tried, (optimizer, rates) in product(
        entry.tries, (("sgd", entry.sgd), ("adam", entry.adam))
    ):
        of = replace(entry, settings=entry.settings | tried)
        pairs = [subject(of, optimizer, rate, n) for rate in rates for n in (100, 101)]
        reached = np.nan_to_num(learned(pairs)[-1].evaluation["validation_performance"], nan=0.1)
        for rate, found in zip(rates, reached.reshape(-1, 2).mean(1), strict=True):
            if found > accuracy:
                best, accuracy = (tried, optimizer, rate), found
    return best


def cost(entry: Entry, turns: int = 7) -> float:
    """Median time of a training step over backpropagation's, cohorts of five."""

    def step_of(rule: str, settings: dict[str, Any]) -> Callable[[int], None]:
        of = Entry("", rule, settings, net=entry.net)
        trainer = CohortTrainer(
            Cohort(tuple(subject(of, "sgd", 1e-3, n) for n in range(5))), torch.float32, "cpu"
        )
        batches = trainer.batches()

        def two_steps(at: int) -> None:
            # Two steps at a time: a rule may take turns between two kinds.
            for step in (at, at + 1):
                trainer.training_step(*next(batches), step)

        return two_steps

    pair = [step_of("backprop", {}), step_of(entry.rule, entry.settings)]
    times = np.zeros((turns, 2))
    for turn in range(-1, turns):
        for place, step in enumerate(pair):
            began = time.process_time()
            step(2 * turn + 2)
            if turn >= 0:
                times[turn, place] = time.process_time() - began
    return float(np.median(times[:, 1] / times[:, 0]))


def studied(entry: Entry) -> dict[str, Any]:
    """Select settings, train five subjects, test them on held-out images, time a step."""
    torch.set_num_threads(1)
    tried, optimizer, rate = chosen(entry)
    entry = replace(entry, settings=entry.settings | tried)
    subjects = [subject(entry, optimizer, rate, n) for n in range(5)]
    seen = learned(subjects, 9)
    curve = np.stack([held_out(subjects, visit) for visit in seen])
    angle = np.stack([visit.evaluation["gradient_angle"] for visit in seen[1:]])
    print(f"{entry.net:5} {entry.label:32} {optimizer} {rate:g} {curve[-1].mean():.3f}", flush=True)
    return {
        "chosen": ", ".join(
            f"{name} {value:g}" for name, value in {optimizer: rate, **tried}.items()
        ),
        "steps": [visit.step for visit in seen],
        "curve": curve,
        "first": np.nanmean(angle[..., 0]),
        "hidden": np.nanmean(angle[..., :-1]),
        "cost": cost(entry),
    }


def needs(rule: type) -> str:
    """Text of the quantities that a rule needs."""
    return "; ".join(
        need.description for found in needs_by_availability(rule).values() for need in found
    )


def table(results: list[dict[str, Any]]) -> str:
    """The table in Markdown."""
    lines = [
        "| rule | local | needs | selected | accuracy, mean (sd) | / backprop | gradient angle, "
        "first layer | hidden layers | cost |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    reference: dict[str, float] = {}
    for entry, found in zip(ENTRIES, results, strict=True):
        final = found["curve"][-1]
        reference.setdefault(entry.net, final.mean())
        if entry.label == "backprop":
            named = {"conv": "Small convolutional network", "mlp": "Multilayer perceptron"}
            lines.append(f"| **{named[entry.net]}** | | | | | | | | |")
        kind = RULES[entry.rule]
        epochs = "" if entry.epochs == 6 else f", {entry.epochs} epochs"
        lines.append(
            f"| {entry.label} | {entry.local or locality(kind)} | {entry.needs or needs(kind)} "
            f"| {found['chosen']}{epochs} | {final.mean():.3f} ({final.std(ddof=1):.3f}) "
            f"| {final.mean() / reference[entry.net]:.2f} | {found['first']:.0f}° "
            f"| {found['hidden']:.0f}° | {found['cost']:.1f} |"
        )
    return "\n".join(lines) + "\n"


def figure(results: list[dict[str, Any]]) -> None:
    """Error on held-out images over epochs, mean and range; logarithmic, for most rules learn."""
    groups: list[tuple[str, Callable[[int, Entry], bool]]] = [
        ("error returned, convolutional", lambda i, e: e.net == "conv" and i < 11),
        ("no error returned, convolutional", lambda i, e: e.net == "conv" and i >= 11),
        ("multilayer perceptron", lambda i, e: e.net == "mlp"),
    ]
    references = {"backprop": ("black", "--"), "control: hidden layers frozen": ("0.5", "--")}
    frozen = next(i for i, entry in enumerate(ENTRIES) if entry.label.startswith("control"))
    panels, axes = plt.subplots(1, 3, figsize=(15, 7), sharey=True, layout="constrained")
    for ax, (title, belongs) in zip(axes, groups, strict=True):
        members = [k for k, entry in enumerate(ENTRIES) if belongs(k, entry)]
        if ENTRIES[members[0]].net == "conv":
            members = list(dict.fromkeys((0, frozen, *members)))
        for order, index in enumerate(members):
            found, label = results[index], ENTRIES[index].label
            epochs = np.array(found["steps"]) / (TASK.train_images // 32)
            missed = 1 - found["curve"]
            colour, dashes = references.get(label, (plt.cm.tab20(order), "-"))
            ax.plot(epochs, missed.mean(1), label=label, lw=1.8, color=colour, ls=dashes)
            ax.fill_between(epochs, missed.min(1), missed.max(1), color=colour, alpha=0.12, lw=0)
        ax.axhline(0.9, color="0.6", lw=0.8)
        ax.set(title=title, xlabel="epochs", yscale="log", ylim=(0.02, 1))
        ax.set_yticks(
            [0.02, 0.05, 0.1, 0.2, 0.5, 0.9], ["2 %", "5 %", "10 %", "20 %", "50 %", "90 %"]
        )
        ax.yaxis.set_minor_formatter("")
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(fontsize=8, frameon=False, ncol=2, loc="upper center", bbox_to_anchor=(0.5, -0.1))
    axes[0].set_ylabel("error on held-out images (90 %: guessing)")
    panels.savefig(DOCS / "images" / "rules.png", dpi=110)


def main() -> None:
    """Study every entry, then write table and figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    results = Parallel(n_jobs=options.jobs)(delayed(studied)(entry) for entry in ENTRIES)
    (DOCS / "science" / "results").mkdir(exist_ok=True)
    (DOCS / "science" / "results" / "rules.md").write_text(table(results), "utf-8")
    figure(results)
    print(table(results))


if __name__ == "__main__":
    main()
