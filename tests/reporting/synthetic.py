"""Trees with the dimensions of a real experiment and numbers made up from a seed."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from virtuallab.vocabulary import DIVERGED, DONE, PENDING

RULES = ("adam", "feedback_alignment", "information_alignment", "sgdm")
ARCHITECTURES = ("knet4", "mlp")
LAYERS = ("conv1", "conv2", "fc")
OBSERVABLES = ("activity", "weights", "activity_change", "all")
PROBES = ("all_units", "noisy", "sparse")  # all_units keeps statistics only
CLASSIFIERS = ("random_forest", "linear_svm")
CONTROLS = ("visit_0", "permuted_labels")
KINDS = {
    "visit_0": "chance",
    "permuted_labels": "chance",
    "metadata": "chance",
    "schedule": "chance",
    "learning_rate": "beat",
    "performance": "beat",
    "performance_matched": "survive",
    "schedule_matched": "survive",
}
HELD_OUT = ("architecture: knet4", "architecture: mlp", "task: digits", "task: gratings")
REASON = "21 subjects matched, 4 of the rarest rule; each rule needs 15"
VISITS = 9
PROTOCOL = """# Which recording could tell?
schema_version: 1
name: made_up
question: Can 40 noisy units tell backprop from <feedback alignment>?
"""


def experiment(
    *,
    replicates: int = 6,
    decoded: bool = True,
    recorded: bool = True,
    pending: int = 0,
    signal: float = 0.5,
    leaking: str | None = None,
    held_out: bool = False,
    published: bool = False,
    judged: bool = False,
    failing: tuple[str, ...] = (),
    undecided: tuple[str, ...] = (),
    not_evaluated: tuple[str, ...] = (),
    classifiers: tuple[str, ...] = CLASSIFIERS,
    primary: dict[str, str] | None = None,
) -> xr.DataTree:
    """Make the tree of an experiment in which every seventh subject diverged.

    ``signal`` is what accuracy has above chance, ``leaking`` the control that fails everywhere,
    ``published`` adds an analysis with layers as samples, 0.1 too high. ``judged`` adds all
    controls, of which some are ``failing``, ``undecided`` or ``not_evaluated``, and how sure the
    decoder is.
    """
    rng = np.random.default_rng(7)
    subjects = _subjects(replicates, pending)
    nodes = {
        "/": xr.Dataset(attrs=_ATTRIBUTES),
        "/subjects": subjects,
        "/truth": _truth(subjects, rng),
    }
    if recorded:
        for probe in PROBES:
            nodes[f"/features/{probe}"] = _features(subjects)
            if probe != "all_units":
                nodes |= {
                    f"/recordings/{probe}/{architecture}": _recording(subjects, architecture, rng)
                    for architecture in ARCHITECTURES
                }
    if decoded:
        nodes["/decoding/main"] = _decoding(signal, leaking, held_out, classifiers, rng)
        if judged:
            nodes["/decoding/main"] = _judged(
                nodes["/decoding/main"], failing, undecided, not_evaluated
            )
        if primary:
            nodes["/decoding/main"].attrs["primary"] = json.dumps(primary)
        if published:
            nodes["/decoding/as_published"] = _published(nodes["/decoding/main"])
    return xr.DataTree.from_dict(nodes, name="made_up")


_ATTRIBUTES = {
    "title": "made_up",
    "summary": "Simulated data. Can 40 noisy units tell backprop from <feedback alignment>?",
    "protocol_yaml": PROTOCOL,
    "protocol_resolved": json.dumps({"analyses": {"main": {"confidence": 0.95}}}),
    "protocol_sha256": "0" * 64,
    "seed": "2020",
    "versions": json.dumps({"virtuallab": "0.1.0", "numpy": "2.4.6"}),
    "python": "3.11.9",
    "platform": "Linux x86_64",
    "git": "",
}


def _words(values: list[str]) -> np.ndarray:
    return np.array(values, dtype=np.dtypes.StringDType())  # as a stored tree gives them


def _subjects(replicates: int, pending: int) -> xr.Dataset:
    table = [(a, r, k) for a in ARCHITECTURES for r in RULES for k in range(replicates)]
    status = np.full(len(table), DONE, dtype=np.int8)
    status[::7] = DIVERGED
    status[len(table) - pending :] = PENDING
    names = [f"sub-{index + 1:04d}" for index in range(len(table))]
    return xr.Dataset(
        {
            "rule": ("subject", _words([rule for _, rule, _ in table])),
            "architecture": ("subject", _words([architecture for architecture, _, _ in table])),
            "task": ("subject", _words(["digits"] * len(table))),
            "loss": ("subject", _words(["cross_entropy"] * len(table))),
            "replicate": ("subject", np.array([replicate for _, _, replicate in table])),
            "learning_rate": ("subject", np.full(len(table), 0.01)),
            "status": ("subject", status),
            "diverged_at": ("subject", np.where(status == DIVERGED, 40, -1)),
        },
        coords={"subject": _words(names)},
    )


def _times() -> dict[str, tuple[str, np.ndarray]]:
    steps = np.linspace(0, 560, VISITS).round().astype(np.int64)
    return {
        "visit": ("visit", np.arange(VISITS)),
        "step": ("visit", steps),
        "epoch": ("visit", steps / 28),
    }


def _truth(subjects: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    rules, status = subjects["rule"].to_numpy(), subjects["status"].to_numpy()
    speed = np.array([0.6 + 0.35 * RULES.index(rule) for rule in rules])[:, None]
    speed = speed * rng.lognormal(0, 0.35, (len(rules), 1))
    accuracy = 0.1 + 0.86 * (1 - np.exp(-np.arange(VISITS) / speed))
    accuracy = np.clip(accuracy + rng.normal(0, 0.012, accuracy.shape), 0, 1).astype(np.float32)
    accuracy[status == DIVERGED, 2:] = np.nan
    accuracy[status == PENDING] = np.nan
    measured = _angles(rules, accuracy)
    return xr.Dataset(
        {
            "train_loss": (("subject", "visit"), 2.3 * (1 - accuracy)),
            "validation_loss": (("subject", "visit"), 2.3 * (1 - accuracy)),
            "validation_performance": (("subject", "visit"), accuracy),
            **measured,
        },
        coords={"subject": subjects["subject"], "layer": _words(list(LAYERS)), **_times()},
    )


def _angles(
    rules: np.ndarray, accuracy: np.ndarray
) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Angles that fall as accuracy grows; backward weights only where a rule has them."""
    depth = np.linspace(1.0, 0.4, len(LAYERS))
    angle = 90 * depth * (1 - 0.5 * accuracy[..., None])
    nothing = np.full_like(angle, np.nan)
    aligned = np.isin(rules, ("feedback_alignment", "information_alignment"))[:, None, None]
    backward = np.where(aligned, angle, nothing)
    below = np.where(np.arange(len(LAYERS)) > 0, backward, nothing)
    gradient = np.where(aligned, angle, 0 * angle)  # NaN, as all else, of who diverged
    by_layer = {
        "weight_angle": backward,
        "projection_angle": backward,
        "local_gradient_angle": below,
        "gradient_angle": gradient,
        "weight_norm_ratio": backward / 45,
        "gradient_norm_ratio": 1 + gradient / 45,
        "sign_agreement": 1 - backward / 180,
    }
    dims = ("subject", "visit", "layer")
    return {
        **{name: (dims, values.astype(np.float32)) for name, values in by_layer.items()},
        "total_gradient_angle": (dims[:2], gradient.mean(-1).astype(np.float32)),
    }


def _features(subjects: xr.Dataset) -> xr.Dataset:
    shape = (subjects.sizes["subject"], VISITS, len(LAYERS), 2)
    return xr.Dataset(
        {"stat": (("subject", "visit", "layer", "statistic"), np.zeros(shape))},
        coords={"subject": subjects["subject"], "layer": _words(list(LAYERS)), **_times()},
    )


def _recording(
    subjects: xr.Dataset, architecture: str, rng: np.random.Generator, n_stimuli: int = 30
) -> xr.Dataset:
    """Responses of rectified units tuned to classes; NaN for subjects of another architecture."""
    owners = np.repeat(LAYERS, (24, 16, 10))
    labels = np.tile(rng.integers(0, 10, n_stimuli), (subjects.sizes["subject"], 1))
    tuning = rng.normal(0, 1, (10, len(owners)))
    growth = np.linspace(0.1, 1, VISITS)[:, None, None]
    scale = np.where(owners == "conv1", 5.0, 1.0)
    clean = growth * tuning[labels[0]] + 0.3 * rng.normal(size=(n_stimuli, len(owners)))
    values = (scale * np.maximum(clean, 0)).astype(np.float32)
    mine = (subjects["architecture"] == architecture) & (subjects["status"] == DONE)
    shape = (subjects.sizes["subject"], *values.shape)
    activity = np.full(shape, np.nan, dtype=np.float32)
    activity[mine.to_numpy()] = values
    return xr.Dataset(
        {
            "activity": (("subject", "visit", "stimulus", "unit"), activity),
        },
        coords={
            "stimulus_label": (("subject", "stimulus"), labels),
            "subject": subjects["subject"],
            "unit_layer": ("unit", _words(list(owners))),
            **_times(),
        },
    )


def _decoding(
    signal: float,
    leaking: str | None,
    held_out: bool,
    classifiers: tuple[str, ...],
    rng: np.random.Generator,
) -> xr.Dataset:
    chance = 1 / len(RULES)
    shape = (len(PROBES), len(OBSERVABLES), len(classifiers))
    accuracy = chance + signal * rng.uniform(0.55, 1, shape)
    accuracy[PROBES.index("sparse"), OBSERVABLES.index("weights")] = np.nan  # records no synapse
    controls = chance + rng.uniform(-0.02, 0.02, (*shape, len(CONTROLS)))
    if leaking:
        controls[..., CONTROLS.index(leaking)] = chance + 0.2
    controls[np.isnan(accuracy)] = np.nan
    cell = ("probe", "observable", "classifier")
    variables = {
        "balanced_accuracy": (cell, accuracy),
        "interval": ((*cell, "bound"), _interval(accuracy)),
        "simultaneous_interval": ((*cell, "bound"), _interval(accuracy, 0.08)),
        "control_accuracy": ((*cell, "control"), controls),
        "control_interval": ((*cell, "control", "bound"), _interval(controls)),
        "control_passed": ((*cell, "control"), _passed(controls, chance)),
        "control_kind": ("control", _words(["chance"] * len(CONTROLS))),
        "confusion": ((*cell, "true_rule", "predicted_rule"), _confusion(accuracy)),
        "warnings": ("probe", _words(['["one seed is shared"]', "[]", "[]"])),
    }
    coords = {
        "probe": _words(list(PROBES)),
        "observable": _words(list(OBSERVABLES)),
        "classifier": _words(list(classifiers)),
        "control": _words(list(CONTROLS)),
        "bound": _words(["low", "high"]),
        "true_rule": _words(list(RULES)),
        "predicted_rule": _words(list(RULES)),
    }
    if held_out:
        unseen = chance + (accuracy[..., None] - chance) / np.array([2.0, 3.0, 1.2, 1.5])
        variables["held_out_accuracy"] = ((*cell, "held_out"), unseen)
        variables["held_out_interval"] = ((*cell, "held_out", "bound"), _interval(unseen))
        coords["held_out"] = _words(list(HELD_OUT))
        referenced = chance + (unseen[..., None, :] - chance) * np.array([[1.2], [0.0]])
        referenced[..., 1, 0] = np.nan  # no references of this choice in the first group
        variables["referenced_accuracy"] = ((*cell, "reference", "held_out_kind"), referenced)
        bounds = (*cell, "reference", "held_out_kind", "bound")
        variables["referenced_interval"] = (bounds, _interval(referenced))
        coords["held_out_kind"] = _words(list(HELD_OUT))
        coords["reference"] = _words(["all rules", "its own rule"])
    attributes = {"chance": chance, "scheme": "strict", "n_subjects": 41}
    return xr.Dataset(variables, coords=coords, attrs=attributes)


def _judged(
    verdict: xr.Dataset,
    failing: tuple[str, ...],
    undecided: tuple[str, ...],
    not_evaluated: tuple[str, ...],
) -> xr.Dataset:
    """Add every control, judged by the decoder, and how sure it is."""
    cell = ("probe", "observable", "classifier")
    accuracy = verdict["balanced_accuracy"].to_numpy()[..., None]
    chance, shape = 1 / len(RULES), accuracy.shape[:-1]
    kinds, names = np.array(list(KINDS.values())), list(KINDS)
    fails, absent = np.isin(names, (*failing, *undecided)), np.isin(names, not_evaluated)
    reached = np.where(kinds == "beat", accuracy - np.where(fails, 0, 0.2), chance + 0.2 * fails)
    reached = np.where(kinds == "survive", np.where(fails, chance, accuracy - 0.05), reached)
    reached = np.where(absent | np.isnan(accuracy), np.nan, reached)
    differs = np.where(kinds == "beat", accuracy - reached, reached - chance)
    differs = np.where(kinds == "chance", np.nan, differs)
    width = np.where(np.isin(names, undecided), 0.2, 0.03)
    notes = np.where(absent, REASON, np.where(kinds == "beat", "less this one: +0.20", ""))
    notes = np.broadcast_to(notes, reached.shape).astype(object)
    kept = verdict.drop_dims("control")
    return (
        kept.assign(
            control_accuracy=((*cell, "control"), reached),
            control_interval=((*cell, "control", "bound"), _interval(reached)),
            control_passed=((*cell, "control"), np.where(np.isnan(reached), np.nan, 1.0 - fails)),
            control_difference=((*cell, "control"), differs),
            control_difference_interval=(
                (*cell, "control", "bound"),
                np.stack([differs - width, differs + width], axis=-1),
            ),
            control_note=((*cell, "control"), notes),
            control_kind=("control", kinds.astype(object)),
            control_subjects=((*cell, "control"), np.full(reached.shape, 41)),
            **_certainty(shape, np.isnan(accuracy[..., 0])),
        )
        .assign_coords(control=_words(names), bin=np.arange(5))
        .assign_attrs(nominal_coverage=0.9)
    )


def _certainty(shape: tuple[int, ...], missing: np.ndarray) -> dict[str, object]:
    """Probabilities a little too sure, in four bins of five, and what follows from them."""
    cell = ("probe", "observable", "classifier")

    def each(*values: float) -> np.ndarray:
        filled = np.broadcast_to(values, (*shape, len(values))).copy()
        filled[missing] = np.nan
        return filled

    return {
        "reliability_stated": ((*cell, "bin"), each(0.42, 0.61, 0.8, 0.97, np.nan)),
        "reliability_observed": ((*cell, "bin"), each(0.36, 0.6, 0.7, 0.94, np.nan)),
        "reliability_count": ((*cell, "bin"), each(11, 10, 10, 10, np.nan)),
        "calibration_error": (cell, each(0.05)[..., 0]),
        "calibration_error_least": (cell, each(0.04)[..., 0]),
        "brier": (cell, each(0.31)[..., 0]),
        "coverage": (cell, each(0.91)[..., 0]),
        "set_size": (cell, each(1.4)[..., 0]),
        "empty_sets": (cell, each(0.02)[..., 0]),
        "left_out_auroc": ((*cell, "true_rule"), each(0.55, 0.83, 0.91, 0.62)),
    }


def _published(verdict: xr.Dataset) -> xr.Dataset:
    """Make of a strict verdict one with layers as samples: no controls, and optimism."""
    strict = [name for name in verdict.variables if str(name).startswith("control")]
    kept = verdict.drop_vars(strict)
    optimism = xr.full_like(verdict["balanced_accuracy"], 0.1)
    return kept.assign(optimism=optimism).assign_attrs(scheme="published")


def _passed(controls: np.ndarray, chance: float) -> np.ndarray:
    return np.where(np.isnan(controls), np.nan, 1.0 * (controls - 0.05 <= chance))


def _interval(values: np.ndarray, half: float = 0.05) -> np.ndarray:
    return np.stack([values - half, values + half], axis=-1)


def _confusion(accuracy: np.ndarray) -> np.ndarray:
    wrong = (1 - accuracy) / (len(RULES) - 1)
    same = np.eye(len(RULES))
    return 40 * (accuracy[..., None, None] * same + wrong[..., None, None] * (1 - same))
