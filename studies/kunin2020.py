"""Tests of claims of Kunin et al. 2020 about learning: ``python studies/kunin2020.py``.

Runs the four protocols kunin2020_*.yaml, or continues them, and writes the verdicts to
docs/science/results/kunin2020.md and docs/images/kunin2020.png: about 25 minutes on two cores.
Diverged subjects count as chance, so that no rule gains by its failures. Intervals of 95 % are a
bootstrap over subjects within rule and setting, and over tuning runs where strengths were tuned.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

import virtuallab

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
DRAWS = 5000
BOUNDS = (2.5, 97.5)
GUESS = {"loss": float(np.log(10)), "accuracy": 0.1}
TUNINGS = (2020, 2021, 2022, 2023, 2024)
SETTINGS = {
    "depth": "[{name: convnet, depth: [2, 4, 6], pooled: 1}]",
    "size": "[{name: convnet, depth: 2, pooled: 1}]",
}
STEPS = {"kunin2020_depth": 450, "kunin2020_depth_long": 1800}
SLOW = "[backprop, symmetric_alignment, activation_alignment]"
LARGE = "[{name: mnist_5k, train_images: 500, validation_images: 600}]"
LABELS = {
    "backprop": "backprop",
    "feedback_alignment": "feedback alignment",
    "weight_mirror": "weight mirror, noise",
    "weight_mirror_noise": "weight mirror, noise",
    "weight_mirror_own": "weight mirror, own activity",
    "information_alignment": "information alignment",
    "symmetric_alignment": "symmetric alignment",
    "activation_alignment": "activation alignment",
    "kolen_pollack": "Kolen-Pollack",
    "sign_symmetry": "sign symmetry",
}


# --- experiments -------------------------------------------------------------------------------


def lab(*arguments: str) -> None:
    """Run a command of virtuallab; finished work is not repeated."""
    subprocess.run([sys.executable, "-m", "virtuallab", *arguments], cwd=ROOT, check=True)


def overrides(**settings: str | int) -> list[str]:
    """Command line options for settings that differ from the protocol."""
    return [
        part
        for name, value in settings.items()
        for part in ("-s", f"{'' if name in ('name', 'seed') else 'subjects.'}{name}={value}")
    ]


def experiments(options: Sequence[str]) -> None:
    """Train all subjects that the verdicts need."""
    for name in ("depth", "noise", "stability"):
        lab("run", f"protocols/kunin2020_{name}.yaml", *options)
    # Backward weights need time to arrive: ask those that should keep up once more, after longer.
    long = "kunin2020_depth_long"
    longer = overrides(name=long, steps=STEPS[long], rules=SLOW)
    lab("run", "protocols/kunin2020_depth.yaml", *longer, *options)
    for seed in TUNINGS:
        tuned = f"kunin2020_transfer_{seed}"
        search = overrides(name=tuned, seed=seed)
        lab("search", "protocols/kunin2020_transfer.yaml", *search, *options)
        for setting, architectures in SETTINGS.items():
            change: dict[str, str | int] = {"architectures": architectures, "replicates": 10}
            if setting == "size":
                change["tasks"] = LARGE
            # Another seed than the search: subjects that no strength was chosen by.
            other = overrides(**change, name=f"{tuned}_{setting}", seed=seed + 1000)
            lab("run", f"runs/{tuned}.tuned.yaml", *other, *options)


def ended(name: str) -> pd.DataFrame:
    """Table with one row a subject: its settings and final values."""
    tree = virtuallab.open(ROOT / "runs" / f"{name}.zarr")
    subjects, truth = tree["subjects"].to_dataset(), tree["truth"].to_dataset()
    last = truth.isel(visit=-1)
    lines = {
        "rule": subjects["rule"].values.astype(str),
        "convolutions": truth["layer_depth"].notnull().sum("layer").values - 1,
        "loss": last["train_loss"].values,
        "accuracy": last["validation_performance"].values,
    }
    if "feedback_noise" in subjects:
        lines["noise"] = subjects["feedback_noise"].values
    depth = truth["layer_depth"].values
    for angle in ("weight_angle", "projection_angle", "gradient_angle"):
        values = last[angle].values.astype(float)
        measured = np.isfinite(values).any()
        lines[angle] = np.nanmean(values, axis=1) if measured else np.full(len(values), np.nan)
        # The last layer's own gradient needs no backward weight: look at the two before it.
        order = np.argsort(np.where(np.isnan(depth), -1, depth), axis=1)
        late = np.take_along_axis(values, order[:, -3:-1], axis=1)
        lines[f"late_{angle}"] = late.mean(axis=1)
    frame = pd.DataFrame(lines)
    lost = ~(np.isfinite(frame.loss) & np.isfinite(frame.accuracy))
    for name, value in GUESS.items():
        frame.loc[lost, name] = value
    return frame.assign(lost=lost)


# --- statistics --------------------------------------------------------------------------------

Estimate = tuple[float, float, float]


def resampled(
    groups: Sequence[np.ndarray], statistic: Callable[[list[np.ndarray]], float]
) -> Estimate:
    """Estimate and percentile interval; ``statistic`` maps the groups' means over subjects."""
    rng = np.random.default_rng(0)
    drawn = [
        np.array(group)[rng.integers(len(group), size=(DRAWS, len(group)))].mean(1)
        for group in groups
    ]
    low, high = np.percentile([statistic(list(each)) for each in zip(*drawn, strict=True)], BOUNDS)
    return statistic([np.mean(group) for group in groups]), float(low), float(high)


def spelt(estimate: Estimate, digits: int = 3) -> str:
    """Estimate with its interval."""
    value, low, high = (f"{round(each, digits) + 0.0:.{digits}f}" for each in estimate)
    return f"{value} [{low}, {high}]"


def gap_slope(frame: pd.DataFrame, rule: str) -> Estimate:
    """How much the gap of training loss to backpropagation grows with each convolution."""
    depths = sorted(frame.convolutions.unique())
    groups = [
        frame[(frame.rule == name) & (frame.convolutions == depth)].loss.to_numpy()
        for name in (rule, "backprop")
        for depth in depths
    ]
    weights = np.array(depths, dtype=float) - np.mean(depths)
    weights /= (weights**2).sum()
    return resampled(
        groups, lambda m: float(weights @ (np.array(m[: len(depths)]) - m[len(depths) :]))
    )


# --- claims: (number, claim, measured, verdict) ------------------------------------------------

Line = tuple[str, str, str, str]


def growing(frame: pd.DataFrame) -> list[Line]:
    """Claims 4 and 14: the gap to backpropagation grows with depth."""
    slope = gap_slope(frame, "feedback_alignment")
    angles = {
        depth: frame[(frame.rule == "feedback_alignment") & (frame.convolutions == depth)]
        for depth in sorted(frame.convolutions.unique())
    }
    late = {depth: of.late_gradient_angle for depth, of in angles.items()}
    spelt_late = ", ".join(f"{a.mean():.0f}° ({a.max():.0f}°) at {d}" for d, a in late.items())
    below = all(a.max() < 90 for a in late.values())
    mirror = gap_slope(frame, "information_alignment")
    return [
        (
            "4",
            "feedback alignment falls behind backpropagation with depth, and its last layers are "
            "aligned",
            f"gap of training loss to backpropagation grows by {spelt(slope)} per convolution; "
            f"gradient angle of the two layers before the read-out, mean (largest): {spelt_late}",
            verdict(slope[1] > 0 and below, slope[2] < 0 or not below),
        ),
        (
            "14",
            "the gap of information alignment to backpropagation grows with depth",
            f"by {spelt(mirror)} per convolution",
            verdict(mirror[1] > 0, mirror[2] < 0),
        ),
    ]


def keeping_up(frames: dict[int, pd.DataFrame]) -> list[Line]:
    """Claims 5 and 6: symmetric and activation alignment keep up with backpropagation."""
    lines = []
    for number, rule, angle in (
        ("5", "symmetric_alignment", "weight_angle"),
        ("6", "activation_alignment", "projection_angle"),
    ):
        for steps, frame in frames.items():
            parts, near, small = [], {}, {}
            for depth in sorted(frame.convolutions.unique()):
                at = frame[frame.convolutions == depth]
                own, reference = at[at.rule == rule], at[at.rule == "backprop"]
                spread = np.sqrt((own.accuracy.var() + reference.accuracy.var()) / 2)
                behind = (reference.accuracy.mean() - own.accuracy.mean()) / spread
                parts.append(f"{behind:.1f} sd and {own[angle].mean():.1f}° at {depth}")
                near[depth] = behind <= 1
                small[depth] = own[angle].mean() < 5
            judged = f"accuracy: {where(near)}; angle: {where(small)}"
            lines.append(
                (
                    number,
                    f"{LABELS[rule]} learns like backpropagation at any depth: accuracy within "
                    f"one standard deviation, mean {angle.replace('_', ' ')} below 5°",
                    f"after {steps} steps, accuracy below backpropagation and angle: "
                    f"{', '.join(parts)} convolutions",
                    judged,
                )
            )
    return lines


def where(holds: dict[int, bool]) -> str:
    """Word at which depths something holds."""
    if all(holds.values()) or not any(holds.values()):
        return verdict(all(holds.values()), not any(holds.values()))
    return f"holds only at {', '.join(str(depth) for depth, each in holds.items() if each)}"


def transferring(stores: dict[str, list[pd.DataFrame]]) -> list[Line]:
    """Claim 8: transfer of tuned strengths to another depth or size of image."""
    falls = {(rule, name): fall(stores, rule, name) for name in ELSEWHERE for rule in TRANSFERRED}
    deep = {rule: falls[rule, "6"] for rule in TRANSFERRED}
    others = [deep[rule] for rule in TRANSFERRED[2:]]
    mirrors = [deep[rule] for rule in TRANSFERRED[:2]]
    listed = "; ".join(
        f"{LABELS[rule]} " + ", ".join(spelt(falls[rule, name], 2) for name in ELSEWHERE)
        for rule in TRANSFERRED
    )
    return [
        (
            "8",
            "strengths tuned on two convolutions transfer worse to deeper networks and other "
            "images for weight mirror than for information, symmetric or activation alignment",
            f"accuracy lost beyond what backpropagation loses, with 4 and 6 convolutions and with "
            f"images of 28 x 28: {listed}; verdict from 6 convolutions",
            by_form(
                [all(mirror[1] > other[2] for other in others) for mirror in mirrors],
                [any(mirror[2] < other[1] for other in others) for mirror in mirrors],
            ),
        )
    ]


ELSEWHERE = ("4", "6", "28 x 28")
TRANSFERRED = (
    "weight_mirror_noise",
    "weight_mirror_own",
    "information_alignment",
    "symmetric_alignment",
    "activation_alignment",
)


def accuracy_lost(
    of: dict[tuple[str, str], np.ndarray], rule: str, mean: Callable[[np.ndarray], Any]
) -> Any:
    """Accuracy lost by a rule less that lost by backpropagation, for one way to take the mean."""
    return (
        mean(of["from", rule])
        - mean(of["to", rule])
        - mean(of["from", "backprop"])
        + mean(of["to", "backprop"])
    )


def fall(stores: dict[str, list[pd.DataFrame]], rule: str, to: str) -> Estimate:
    """Accuracy lost from the tuned setting to another, less what backpropagation lost.

    Resamples the tuning runs first, then subjects: strengths of one search are one draw.
    """
    runs: list[Callable[[Callable[[np.ndarray], Any]], Any]] = []
    for deep, large in zip(stores["depth"], stores["size"], strict=True):
        target = large if to == "28 x 28" else deep[deep.convolutions == int(to)]
        source = deep[deep.convolutions == 2]
        of = {
            (at, name): each[each.rule == name].accuracy.to_numpy()
            for at, each in (("from", source), ("to", target))
            for name in (rule, "backprop")
        }
        runs.append(partial(accuracy_lost, of, rule))
    rng = np.random.default_rng(0)

    def again(group: np.ndarray) -> np.ndarray:
        means: np.ndarray = group[rng.integers(len(group), size=(DRAWS, len(group)))].mean(1)
        return means

    places = np.arange(DRAWS)
    drawn = np.mean(
        [
            np.stack([run(again) for run in runs])[rng.integers(len(runs), size=DRAWS), places]
            for _ in runs
        ],
        axis=0,
    )
    low, high = np.percentile(drawn, BOUNDS)
    return float(np.mean([run(np.mean) for run in runs])), float(low), float(high)


def near(frame: pd.DataFrame, rule: str) -> np.ndarray:
    """Which draws of strengths come within 95 % of the best accuracy of backpropagation."""
    best = frame[frame.rule == "backprop"].accuracy.max()
    found: np.ndarray = (frame[frame.rule == rule].accuracy >= 0.95 * best).to_numpy(float)
    return found


def enduring(frame: pd.DataFrame) -> list[Line]:
    """Claims 9 and 16: shares of strengths that work, and the gain by an adaptive optimizer."""

    def share(rule: str) -> Estimate:
        return resampled([near(frame, rule)], lambda m: float(m[0]))

    def gain(rule: str) -> Estimate:
        return resampled([near(frame, f"{rule}_adam"), near(frame, rule)], lambda m: m[0] - m[1])

    def more(rules: Sequence[str]) -> Estimate:
        return resampled([near(frame, rule) for rule in rules], lambda m: m[0] - m[1])

    names = ("weight_mirror_noise", "weight_mirror_own", "information_alignment")
    shares = ", ".join(f"{LABELS[rule]} {spelt(share(rule), 2)}" for rule in names)
    over = {m: more(("information_alignment", m)) for m in names[:2]}
    gained = {rule: gain(rule) for rule in (*names[:2], "symmetric_alignment")}
    against = [
        resampled(
            [
                near(frame, each)
                for rule in (mirror, "symmetric_alignment")
                for each in (f"{rule}_adam", rule)
            ],
            lambda m: (m[0] - m[1]) - (m[2] - m[3]),
        )
        for mirror in names[:2]
    ]
    return [
        (
            "9",
            "information alignment works for more strengths than weight mirror",
            f"share of strengths over three decades that reach 95 % of backpropagation's best "
            f"accuracy: {shares}; information alignment minus weight mirror: "
            f"{spelt(over['weight_mirror_noise'], 2)} (noise), "
            f"{spelt(over['weight_mirror_own'], 2)} (own activity)",
            by_form([each[1] > 0 for each in over.values()], [e[2] < 0 for e in over.values()]),
        ),
        (
            "16",
            "an adaptive optimizer for backward weights helps weight mirror more than symmetric "
            "alignment",
            "share gained with Adam: "
            + ", ".join(f"{LABELS[rule]} {spelt(each, 2)}" for rule, each in gained.items())
            + f"; weight mirror minus symmetric alignment: {spelt(against[0], 2)} (noise), "
            f"{spelt(against[1], 2)} (own activity)",
            by_form([each[1] > 0 for each in against], [each[2] < 0 for each in against]),
        ),
    ]


def disturbed(frame: pd.DataFrame) -> list[Line]:
    """Claim 13, for learning: noise in backward updates harms Kolen-Pollack more."""
    levels = sorted(set(frame.noise) - {0.0})

    def group(rule: str, noise: float) -> np.ndarray:
        return frame[(frame.rule == rule) & (frame.noise == noise)].loss.to_numpy()

    more = {
        level: resampled(
            [
                group(rule, noise)
                for rule in ("kolen_pollack", "symmetric_alignment")
                for noise in (level, 0.0)
            ],
            lambda m: (m[0] - m[1]) - (m[2] - m[3]),
        )
        for level in levels
    }
    listed = ", ".join(f"{spelt(each)} at {level:g}" for level, each in more.items())
    settled = [each for each in more.values() if each[1] > 0 or each[2] < 0]
    return [
        (
            "13",
            "noise in the updates of backward weights harms Kolen-Pollack more than symmetric "
            "alignment",
            f"training loss added by the noise, Kolen-Pollack minus symmetric alignment: {listed}",
            verdict(
                bool(settled) and all(each[1] > 0 for each in settled),
                bool(settled) and all(each[2] < 0 for each in settled),
            ),
        )
    ]


UNDECIDED = "undecided"


def verdict(holds: bool, fails: bool) -> str:
    """Word a verdict; neither is undecided."""
    return "holds" if holds else "does not hold" if fails else UNDECIDED


def by_form(holds: Sequence[bool], fails: Sequence[bool]) -> str:
    """Word a verdict for the two forms of weight mirror."""
    noise, own = (verdict(h, f) for h, f in zip(holds, fails, strict=True))
    return noise if noise == own else f"weight mirror, noise: {noise}; own activity: {own}"


# --- figure ------------------------------------------------------------------------------------


def quartiles(groups: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places, medians and distances to the quartiles of a column grouped by one other."""
    low, middle, high = (groups.quantile(share).to_numpy() for share in (0.25, 0.5, 0.75))
    return np.array(list(groups.groups)), middle, np.stack([middle - low, high - middle])


def figure(
    depth: pd.DataFrame,
    noise: pd.DataFrame,
    stability: pd.DataFrame,
    stores: dict[str, list[pd.DataFrame]],
) -> None:
    """Figure with four panels, one for each question."""
    drawn, ((one, two), (three, four)) = plt.subplots(2, 2, figsize=(13, 10), layout="constrained")
    colour = {name: f"C{i}" for i, name in enumerate(dict.fromkeys(LABELS.values()))}

    for rule, own in depth.groupby("rule"):
        place, middle, reach = quartiles(own.groupby("convolutions").loss)
        label = LABELS[str(rule)]
        style = {"color": colour[label], "label": label}
        style["ls"] = "--" if rule == "backprop" else "-"
        one.errorbar(place, middle, reach, capsize=3, lw=1.8, **style)
    one.set(
        yscale="log",
        xlabel="convolutions",
        ylabel="training loss, median and quartiles",
        xticks=place,
    )
    one.set_title("Which rules fall behind with depth?")

    width = 0.16
    for order, rule in enumerate(TRANSFERRED):
        each = [fall(stores, rule, to) for to in ELSEWHERE]
        value, low, high = (np.array(column) for column in zip(*each, strict=True))
        two.bar(
            np.arange(3) + (order - 2) * width, value, width, yerr=[value - low, high - value],
            color=colour[LABELS[rule]], label=LABELS[rule], capsize=2,
        )  # fmt: skip
    two.axhline(0, color="0.5", lw=0.8)
    two.set_xticks(range(3), ["4 convolutions", "6 convolutions", "images of 28 x 28"])
    two.set_ylabel("accuracy lost beyond backpropagation's")
    two.set_title("Do strengths tuned on 2 convolutions serve elsewhere?")

    for rule in (*TRANSFERRED[:4],):
        for suffix, dashed in (("", "-"), ("_adam", ":")):
            reached = np.sort(stability[stability.rule == rule + suffix].accuracy.to_numpy())
            text = LABELS[rule] + (", Adam" if suffix else "")
            three.plot(np.linspace(0, 1, len(reached)), reached, dashed, lw=1.8, label=text,
                       color=colour[LABELS[rule]])  # fmt: skip
    three.axhline(
        0.95 * stability[stability.rule == "backprop"].accuracy.max(), color="0.5", lw=0.8
    )
    three.set(xlabel="share of strengths drawn, from the worst", ylabel="accuracy")
    three.set_title("How many strengths work? (line: 95 % of backprop's best)")

    for rule, own in noise.groupby("rule"):
        place, middle, reach = quartiles(own.groupby("noise").loss)
        label = LABELS[str(rule)]
        style = {"color": colour[label], "label": label}
        four.errorbar(place, middle, reach, capsize=3, lw=1.8, **style)
    four.set_xscale("symlog", linthresh=0.1)
    four.set_xticks(place, [f"{p:g}" for p in place])
    four.set(
        yscale="log",
        xlabel="noise in the updates of $B$, over the learning rate",
        ylabel="training loss, median and quartiles",
    )
    four.set_title("Whom does noise hurt?")
    for ax in (one, two, three, four):
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(fontsize=8, frameon=False)
    drawn.savefig(DOCS / "images" / "kunin2020.png", dpi=110)


def main() -> None:
    """Train, evaluate the claims, write."""
    experiments(sys.argv[1:])
    noise, stability = (ended(f"kunin2020_{name}") for name in ("noise", "stability"))
    frames = {steps: ended(name) for name, steps in STEPS.items()}
    depth = frames[STEPS["kunin2020_depth"]]
    stores = {
        setting: [ended(f"kunin2020_transfer_{seed}_{setting}") for seed in TUNINGS]
        for setting in SETTINGS
    }
    lines = [
        *growing(depth), *keeping_up(frames), *transferring(stores), *enduring(stability),
        *disturbed(noise),
    ]  # fmt: skip
    lines.sort(key=lambda line: int(line[0]))
    head = "| | claim | measured | verdict |\n| --- | --- | --- | --- |\n"
    text = head + "".join("| " + " | ".join(line) + " |\n" for line in lines)
    (DOCS / "science" / "results").mkdir(exist_ok=True)
    (DOCS / "science" / "results" / "kunin2020.md").write_text(text, "utf-8")
    figure(depth, noise, stability, stores)
    print(text)


if __name__ == "__main__":
    main()
