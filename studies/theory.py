"""Tests of claims about the theory of alignment rules: ``python studies/theory.py [CLAIM ...]``.

Tests the claims of docs/science/stability.md with the functions and optimizers of the rules and
several random seeds, in two minutes on one core; a single claim by its number (``12``) in seconds.
Prints the table of that page.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from virtuallab import theory
from virtuallab.registry import OPTIMIZERS, RULES
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.primitives import alignment_gradient
from virtuallab.subject.network.random_streams import RandomStreams
from virtuallab.subject.network.synapse import Conv, Dense, Synapse
from virtuallab.subject.optimizer import apply_updates
from virtuallab.subject.rule import stack_settings
from virtuallab.theory import Coefficients

SEEDS = 10
PRE, POST, SAMPLES = 64, 32, 5000

# The strengths of each rule whose backward weight comes to rest; the rules' own proportions.
RESTING = {
    "weight_mirror": Coefficients(amp=0.2, decay=0.1),
    "information_alignment": Coefficients(amp=0.02, null=0.01, decay=0.01),
    "symmetric_alignment": Coefficients(self=0.1, decay=0.05),
    "activation_alignment": Coefficients(amp=0.1, sparse=0.05),
    "kolen_pollack": theory.kolen_pollack(forward_decay=0.05, backward_decay=0.05),
}


def normal(rng: np.random.Generator, *shape: int) -> Tensor:
    """Standard normal numbers in double precision."""
    return torch.from_numpy(rng.standard_normal(shape))


def layer_view(synapse: Synapse, x: Tensor, w: Tensor, b: Tensor) -> LayerView:
    """View of one layer without bias and without an error."""
    return LayerView(
        synapse=synapse, pre=x, post=synapse.project(x, w), error=None, weight=w, backward_weight=b,
        bias=None, pseudogradient=None,
    )  # fmt: skip


def angle(one: np.ndarray, other: np.ndarray) -> float:
    """Angle between two weights in degrees."""
    cosine = (one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def rectified(rng: np.random.Generator) -> np.ndarray:
    """Responses of a layer of rectifiers with random weights to white noise."""
    below = rng.standard_normal((PRE, PRE)) / PRE**0.5
    found: np.ndarray = np.maximum(rng.standard_normal((SAMPLES, PRE)) @ below, 0)
    return found


def rest_error(rule: str, seed: int, steps: int = 20_000) -> float:
    """Claim 11: distance from the fixed point, after training ``B`` with ``W`` fixed."""
    rng, k = np.random.default_rng(seed), RESTING[rule]
    x, w = normal(rng, 1, 200, 12), normal(rng, 1, 8, 12)
    c = theory.second_moment(x[0].numpy())
    rate = theory.step_limit(k, w[0].numpy(), c) / 2
    b = normal(rng, 1, 8, 12)
    for _ in range(steps):
        step = rate * alignment_gradient(layer_view(Dense(), x, w, b), asdict(k), mean=False)
        b = b - step
        if step.norm() < 1e-9 * b.norm():
            break
    rest = theory.fixed_point(k, w[0].numpy(), c)
    return float(np.linalg.norm(b[0].numpy() - rest) / np.linalg.norm(rest))


def integrate(
    k: Coefficients, w: np.ndarray, b: np.ndarray, c: np.ndarray, time: float, step: float = 0.05
) -> tuple[np.ndarray, np.ndarray]:
    """Claim 10: both weights after some time of their joint flow, by Runge and Kutta's method."""

    def velocity(both: np.ndarray) -> np.ndarray:
        return np.stack(theory.joint_flow(k, both[0], both[1], c))

    both = np.stack([w, b])
    for _ in range(round(time / step)):
        first = velocity(both)
        second = velocity(both + step / 2 * first)
        third = velocity(both + step / 2 * second)
        fourth = velocity(both + step * third)
        both = both + step / 6 * (first + 2 * second + 2 * third + fourth)
    return both[0], both[1]


def joint_weights(k: Coefficients, seed: int, time: float = 40) -> np.ndarray:
    """Claim 10: both weights ``(2, 2, post, pre)`` before and after, for white input."""
    w, b = 0.3 * np.random.default_rng(seed).standard_normal((2, 4, 6))
    return np.stack([np.stack([w, b]), np.stack(integrate(k, w, b, np.eye(6), time))])


def growth_rate(k: Coefficients, seed: int, time: float = 40) -> float:
    """Claim 10: rate at which ``W + B`` grows."""
    before, after = joint_weights(k, seed, time).sum(1)
    return float(np.log(np.linalg.norm(after) / np.linalg.norm(before)) / time)


def symmetric_error(k: Coefficients, seed: int) -> tuple[float, float]:
    """Claim 10: relative gap between the weights, and of their singular values to the claimed."""
    w, b = joint_weights(k, seed)[1]
    off = np.linalg.svd(w)[1] / theory.symmetric_point(k) - 1
    return float(np.linalg.norm(w - b) / np.linalg.norm(w + b)), float(np.abs(off).max())


def joint_jacobian(k: Coefficients, w: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Claim 10: derivative of the joint flow, by central differences."""
    at, step = np.stack([w, b]), 1e-6
    columns = []
    for place in np.ndindex(at.shape):
        aside = np.zeros_like(at)
        aside[place] = step
        ahead, behind = (
            np.stack(theory.joint_flow(k, both[0], both[1], c)) for both in (at + aside, at - aside)
        )
        columns.append((ahead - behind).ravel() / (2 * step))
    return np.stack(columns, 1)


def mirror_gain(seed: int, deviation: float, padding: int, batch: int = 4000) -> np.ndarray:
    """Claim 12: gain of weight mirror at each place of a 3x3 kernel with a 6x6 map, at rest.

    With padding the kernel's border misses the positions where it hangs over the field's edge.
    """
    rng, side = np.random.default_rng(seed), 8 - 2 * padding
    synapse = Conv((1, 1), (padding, padding), (1, 1), 1, (side, side))
    x, w = deviation * normal(rng, batch, 3, side, side), normal(rng, 1, 5, 3, 3, 3)
    k = Coefficients(amp=0.02, decay=0.01)  # so that the gain is the second moment itself
    at = layer_view(synapse, x, w, torch.zeros_like(w))
    rest = -alignment_gradient(at, asdict(k), mean=False) / (2 * k.decay)
    return np.asarray(((rest * w).sum((0, 1, 2)) / w.square().sum((0, 1, 2))).numpy())


def mean_gain(seed: int, deviation: float) -> float:
    """Claim 12: mean of the gain over the places of the kernel, without padding."""
    return float(mirror_gain(seed, deviation, 0).mean())


def mirror_angle(seed: int, side: int, batch: int = 4000) -> float:
    """Claim 12: degrees from ``W`` to weight mirror's rest, 3x3 kernels on zero-padded maps."""
    rng, synapse = np.random.default_rng(seed), Conv((1, 1), (1, 1), (1, 1), 1, (side, side))
    x, w = normal(rng, batch, 3, side, side), normal(rng, 1, 5, 3, 3, 3)
    k = Coefficients(amp=0.2, decay=0.1)
    view = layer_view(synapse, x, w, torch.zeros_like(w))
    rest = -alignment_gradient(view, asdict(k), mean=True) / (2 * k.decay)
    return angle(rest.numpy(), w.numpy())


INPUTS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "white noise": lambda rng: rng.standard_normal((SAMPLES, PRE)),
    "rectified": rectified,
    "rectified, centred": lambda rng: (x := rectified(rng)) - x.mean(0),
}


def misalignment(kind: str, seed: int, scale: float = 1.0) -> tuple[float, float]:
    """Claim 15: angles to ``W`` of weight mirror and of the ridge decoder, at rest."""
    rng = np.random.default_rng(seed)
    w = scale * rng.standard_normal((POST, PRE))
    c = theory.second_moment(INPUTS[kind](rng))
    mirror = theory.fixed_point(Coefficients(amp=2e-3, decay=1e-3), w, c)
    ridge = theory.fixed_point(Coefficients(amp=2e-3, null=1e-3, decay=1e-3), w, c)
    return angle(mirror, w), angle(ridge, w)


def kolen_pollack(
    seed: int, decay: float, *, matched: bool = True, rate: float = 0.1, steps: int = 2000
) -> tuple[np.ndarray, np.ndarray]:
    """Claim 7: both weights ``(2, post, pre)`` before and after a student learns from a teacher.

    The error at the student's response is exact; ``decay`` is the backward weight's.
    """
    rng = np.random.default_rng(seed)
    rule = stack_settings([RULES["kolen_pollack"](decay=decay / 2, matched=matched)], torch.float64)
    teacher, w, b = normal(rng, 3, 1, 8, 12)
    birth = torch.cat([w, b]).numpy().copy()
    plain = stack_settings([OPTIMIZERS["sgd"](learning_rate=rate, momentum=0.0)], torch.float64)
    state, streams = plain.init([w, b]), RandomStreams([seed])
    synapse = Dense()
    for _ in range(steps):
        x = normal(rng, 1, 20, 12)
        error = synapse.project(x, w - teacher) / 20
        at = LayerView(
            synapse=synapse, pre=x, post=synapse.project(x, w), error=error, weight=w,
            backward_weight=b, bias=None, pseudogradient=synapse.correlate(x, error, w),
        )  # fmt: skip
        apply_updates(
            plain, [w, b], [rule.forward_step(at), rule.backward_step(at)], state, streams
        )
    return birth, torch.cat([w, b]).numpy()


def exponent_ratio(seed: int, decay: float = 0.01, rate: float = 0.1, steps: int = 2000) -> float:
    """Claim 7: rate at which the weights converge, divided by the claimed one."""
    before, after = (
        np.linalg.norm(w - b) for w, b in kolen_pollack(seed, decay, rate=rate, steps=steps)
    )
    return float(np.log(after / before) / steps / np.log(1 - rate * decay))


def noise_variance(
    rule: str, seed: int, decay: float, rate: float = 0.1, noise: float = 0.3
) -> float:
    """Claim 13: stationary variance of ``B - W`` under noise in the changes of ``B`` alone.

    Parameters
    ----------
    rule : str
        ``"kolen_pollack"``, whose weights share whatever gradient comes, or
        ``"symmetric_alignment"``, whose forward weight is at rest.
    seed : int
    decay : float
        The rule's own; it forgets ``2 rate decay`` in one step.
    rate : float
        Learning rate.
    noise : float
        Standard deviation, in units of the learning rate.
    """
    rng, streams = np.random.default_rng(seed), RandomStreams([seed])
    shared = rule == "kolen_pollack"
    numbers = {"decay": decay} if shared else {"decay": decay, "self": 2 * decay}
    one = stack_settings([RULES[rule](**numbers)], torch.float64)
    quiet, noisy = (
        stack_settings(
            [OPTIMIZERS["sgd"](learning_rate=rate, momentum=0.0, noise=size)], torch.float64
        )
        for size in (0.0, noise)
    )
    x, w = normal(rng, 1, 1, PRE), normal(rng, 1, POST, PRE)
    b, memory = w.clone(), round(1 / (2 * rate * decay))
    state, noisy_state = quiet.init([w]), noisy.init([b])
    seen = []
    for step in range(60 * memory):
        at = replace(layer_view(Dense(), x, w, b), pseudogradient=normal(rng, *w.shape))
        forward, backward = one.forward_step(at), one.backward_step(at)
        if shared:
            apply_updates(quiet, [w], [forward], state, streams)
        apply_updates(noisy, [b], [backward], noisy_state, streams)
        if step >= 10 * memory:
            seen.append(float((b - w).square().mean()))
    return float(np.mean(seen))


def noise_ratio(rule: str, seed: int) -> float:
    """Claim 13: that variance divided by the claimed one, at a decay of two percent a step."""
    rate, noise, decay = 0.1, 0.3, 0.1
    return noise_variance(rule, seed, decay, rate, noise) / (
        (rate * noise) ** 2 / (4 * rate * decay)
    )


Row = tuple[str, str, str]  # what was measured, what is claimed, what was found


def interval(values: Sequence[float]) -> str:
    """Mean over seeds with its 95 % interval by Student's t."""
    each = np.asarray(values)
    half = stats.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / len(each) ** 0.5
    return f"{each.mean():.4g} ± {half:.1g}" if half > 1e-6 else f"{each.mean():.4g} in each"


def over_seeds(measure: Callable[[int], float]) -> str:
    """Repeat with every seed."""
    return interval([measure(seed) for seed in range(SEEDS)])


def worst(measure: Callable[[int], float]) -> str:
    """Largest of all seeds; rounding alone is called 0."""
    found = max(measure(seed) for seed in range(SEEDS))
    return f"{found:.1g}" if found > 1e-12 else "0"


def spoken(rule: str) -> str:
    """Name of a rule in a sentence."""
    return "Kolen-Pollack" if rule == "kolen_pollack" else rule.replace("_", " ")


def claim_7() -> Iterator[Row]:
    """Claim 7: both weights of Kolen-Pollack converge at the rate of their decay."""
    yield (
        "exponent with which $B - W$ shrinks, divided by the claimed one",
        "1 within 1 %",
        over_seeds(exponent_ratio),
    )

    def apart(seed: int) -> float:
        _, (w, b) = kolen_pollack(seed, 0.02, matched=False)
        return float(np.linalg.norm(b - w) / np.linalg.norm(w))

    yield (
        r"only $B$ decays: $\lVert B - W\rVert / \lVert W\rVert$ after training",
        "does not vanish",
        over_seeds(apart),
    )


def claim_10() -> Iterator[Row]:
    """Claim 10: with both weights learning, only information alignment has a fixed point."""
    for sign, amp in (("<", 0.5), (">", 1.5)):
        k = theory.from_paper(amp=amp, decay=1.0)
        yield (
            rf"weight mirror, $\alpha_a {sign} \beta_d$: rate at which $W + B$ grows",
            rf"$\alpha_a - \beta_d$ = {amp - 1:g}",
            over_seeds(partial(growth_rate, k)),
        )
    k = theory.from_paper(amp=1.5, decay=1.0, null=1.0)
    yield (
        r"information alignment: $\lVert W - B\rVert / \lVert W + B\rVert$, largest",
        "0",
        worst(lambda seed: symmetric_error(k, seed)[0]),
    )
    yield (
        "information alignment: relative distance of singular values from the claimed ones, "
        "largest",
        "0",
        worst(lambda seed: symmetric_error(k, seed)[1]),
    )


def claim_11() -> Iterator[Row]:
    """Claim 11: fixed points of the backward weights."""
    for rule in RESTING:
        label = f"{spoken(rule)}: relative distance from the fixed point, largest"
        yield label, "below 1 %", worst(partial(rest_error, rule))


def claim_12() -> Iterator[Row]:
    """Claim 12: the gain of weight mirror is the input variance times the number of positions."""
    for deviation, claimed in ((1.0, "36"), (0.5, "9")):
        yield (
            f"gain for a 6x6 map, noise of standard deviation {deviation:g}",
            claimed,
            over_seeds(partial(mean_gain, deviation=deviation)),
        )
    padded = [mirror_gain(seed, 1.0, 1) for seed in range(SEEDS)]
    places = {"centre": ((1, 1), "36"), "edge": ((0, 1), "30"), "corner": ((0, 0), "25")}
    for name, (at, claimed) in places.items():
        yield (
            f"gain with zero padding, {name} of the kernel",
            claimed,
            interval([float(gains[at]) for gains in padded]),
        )
    for side, claimed in ((8, "5"), (4, "11"), (2, "27")):
        yield (
            f"3x3 kernels, zero padding, {side}x{side} map: degrees from $W$ to the fixed point "
            "of $B$",
            claimed,
            over_seeds(partial(mirror_angle, side=side)),
        )


def claim_13() -> Iterator[Row]:
    """Claim 13: noise accumulates until it decays."""
    for rule in ("kolen_pollack", "symmetric_alignment"):
        label = f"{spoken(rule)}: variance of $B - W$, divided by the claimed one"
        yield label, "1 within 10 %", over_seeds(partial(noise_ratio, rule))

    def published(seed: int) -> float:
        collected = noise_variance("kolen_pollack", seed, decay=0.01)
        return float((collected / noise_variance("symmetric_alignment", seed, decay=0.2)) ** 0.5)

    yield (
        "standard deviation of Kolen-Pollack divided by that of symmetric alignment, with the "
        "published ratio of decays",
        r"$\sqrt{20}$ = 4.47",
        over_seeds(published),
    )


def claim_15() -> Iterator[Row]:
    """Claim 15: angles of weight mirror and of the ridge decoder for correlated inputs."""
    claims = {1.0: (("6", "69", "37"), ("46 to 49",) * 3), 0.1: (("",) * 3, ("15", "46", "34"))}
    for scale, (mirrored, decoded) in claims.items():
        for kind, mirror, ridge in zip(INPUTS, mirrored, decoded, strict=True):
            found = np.array([misalignment(kind, seed, scale) for seed in range(SEEDS)])
            if mirror:  # whose direction does not depend on the size of W
                label = f"{kind}: degrees from $W$ to $B$ of weight mirror"
                yield label, mirror, interval(found[:, 0].tolist())
            size = "$W$ of unit variance" if scale == 1 else f"$W$ times {scale:g}"
            label = f"{kind}, {size}: degrees to $B$ of information alignment"
            yield label, ridge, interval(found[:, 1].tolist())


CLAIMS = {
    "7": claim_7,
    "10": claim_10,
    "11": claim_11,
    "12": claim_12,
    "13": claim_13,
    "15": claim_15,
}


def main(claims: Sequence[str]) -> None:
    """Print the table, or the lines of some claims."""
    print(f"| claim | measured ({SEEDS} seeds) | claimed | found |\n| --- | --- | --- | --- |")
    for number in claims or CLAIMS:
        for row in CLAIMS[number]():
            print("| " + " | ".join((number, *row)) + " |", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1:])
