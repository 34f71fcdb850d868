"""The words of the laboratory: every dimension, coordinate and flag value, spelled once.

Anything that names an axis of a stored array, or describes a stored variable, takes the name from
here, so that a recording, a feature table and a figure cannot drift apart.
"""

from __future__ import annotations

from typing import Final, Literal

SUBJECT: Final = "subject"
VISIT: Final = "visit"
STIMULUS: Final = "stimulus"
LAYER: Final = "layer"
UNIT: Final = "unit"
SYNAPSE: Final = "synapse"
MEMBER: Final = "member"  # of the units that one channel averages
STATISTIC: Final = "statistic"
CHANGE: Final = "change"
CHANGE_NAME: Final = "change_name"  # a variable cannot share its name with a labelled axis of it
OBSERVABLE: Final = "observable"
PARAMETER: Final = "parameter"
NETWORK: Final = "network"  # an untrained one, of which instruments are set
PROBE: Final = "probe"
CLASSIFIER: Final = "classifier"
CONTROL: Final = "control"
RULE: Final = "rule"
DESIGN: Final = "design"  # a probe that is compared with others
SEED: Final = "seed"

WEIGHTS: Final = "weights"
ACTIVITY: Final = "activity"
ACTIVITY_CHANGE: Final = "activity_change"
Observable = Literal["weights", "activity", "activity_change"]
OBSERVABLES: Final[tuple[Observable, ...]] = (WEIGHTS, ACTIVITY, ACTIVITY_CHANGE)

CROSS_ENTROPY: Final = "cross_entropy"
SQUARED_ERROR: Final = "squared_error"

# Coordinates that each subject has its own values of: what a probe found in it, and was shown.
CHOSEN: Final = (
    "stimulus_index",
    "stimulus_label",
    "unit_index",
    "unit_matched",
    "unit_x",
    "unit_y",
    "unit_depth",
    "synapse_index",
)

PENDING: Final = 0  # what an unwritten integer reads as
DONE: Final = 1
FAILED: Final = 2
DIVERGED: Final = 3
STATUS: Final = {PENDING: "pending", DONE: "done", FAILED: "failed", DIVERGED: "diverged"}

NO_CLASS: Final = -1  # label of a stimulus of which no class is known

LIVE: Final = 0
DEAD: Final = 1  # constant: every unit gives the same value, so ratios to its spread mean nothing
EXPLODED: Final = 2  # not a finite number
FLAGS: Final = {LIVE: "live", DEAD: "dead", EXPLODED: "exploded"}


def subject_name(index: int, count: int = 0) -> str:
    """Name of a subject, wide enough for all.

    Parameters
    ----------
    index : int
        Counted from 0.
    count : int
        How many subjects there are.

    >>> subject_name(3), subject_name(3, 20_000)
    ('sub-0004', 'sub-00004')
    """
    return f"sub-{index + 1:0{max(4, len(str(count)))}d}"


# name -> (units, long name); units "1" is the dimensionless unit of the CF conventions.
_DESCRIPTIONS: Final[dict[str, tuple[str, str]]] = {
    SUBJECT: ("", "subject"),
    VISIT: ("1", "visit, counted from 0 before learning"),
    STIMULUS: ("1", "stimulus"),
    UNIT: ("1", "recorded unit"),
    SYNAPSE: ("1", "recorded synapse"),
    MEMBER: ("1", "one of the units that a channel averages"),
    LAYER: ("", "layer"),
    STATISTIC: ("", "aggregate statistic of an observable"),
    CHANGE: ("", "scale-free change of an observable"),
    CHANGE_NAME: ("", "scale-free change of an observable"),
    "step": ("optimizer step", "training step"),
    "steps": ("optimizer step", "length of training"),
    "batch_size": ("1", "images in a training step"),
    "epoch": ("epoch", "passes through the training images"),
    "layer_depth": ("1", "depth of the layer, 0 the first and 1 the last"),
    "depth_group": ("", "third of the network's layers: 0 early, 1 middle, 2 deep"),
    "unit_layer": ("", "layer of the recorded unit"),
    "synapse_layer": ("", "layer of the recorded synapse"),
    "n_units": ("1", "recorded units in the layer"),
    "stimulus_index": ("1", "index of the stimulus among the task's probe images"),
    "unit_index": ("1", "index of the unit in its layer"),
    "observed": ("1", "whether the response was measured at every visit"),
    "unit_matched": ("1", "whether the unit is that of the visit before"),
    "unit_x": ("um", "where the unit lies across the map's columns"),
    "unit_y": ("um", "where the unit lies across the map's rows"),
    "unit_depth": ("um", "depth of the unit below the surface"),
    "synapse_index": ("1", "index of the synapse in its layer's flattened kernel"),
    "stimulus_label": ("1", "class of the stimulus"),
    RULE: ("", "plasticity rule"),
    "architecture": ("", "architecture"),
    "family": ("", "family of the architecture"),
    "task": ("", "task"),
    "loss": ("", "loss that the subject minimises"),
    "optimizer": ("", "optimizer"),
    "learning_rate": ("1", "learning rate"),
    "replicate": ("1", "replicate"),
    "status": ("", "fate of the subject"),
    "diverged_at": (
        "optimizer step",
        "training step at which the subject diverged, -1 if it did not",
    ),
    WEIGHTS: ("1", "synaptic strength"),
    ACTIVITY: ("1", "activation"),
    ACTIVITY_CHANGE: ("1", "layer-wise activity change"),
    "state": ("1", "parameters and running averages of the network"),
    "stat": ("", "aggregate statistic"),
    "statistic_units": ("", "units of the statistic"),
    "change": ("1", "scale-free change"),
    "flag": ("", "whether a layer was live"),
    "train_loss": ("nat", "mean training loss since the last visit"),
    "validation_loss": ("nat", "validation loss"),
    "validation_accuracy": ("1", "validation accuracy"),
    "weight_angle": ("degree", "angle between forward and backward weights"),
    "projection_angle": ("degree", "angle between projections by forward and backward weights"),
    "local_gradient_angle": (
        "degree",
        "angle between the error sent down and what the forward weights would have sent",
    ),
    "gradient_angle": ("degree", "angle between what the weights follow and the true gradient"),
    "total_gradient_angle": (
        "degree",
        "angle between what all parameters follow and the true gradient",
    ),
    "weight_norm_ratio": ("1", "norm of the backward weights over that of the forward weights"),
    "gradient_norm_ratio": ("1", "norm of what the weights follow over that of the true gradient"),
    "sign_agreement": ("1", "share of synapses whose two weights have the same sign"),
    "balanced_accuracy": ("1", "balanced accuracy"),
    "accuracy_by_seed": ("1", "balanced accuracy of each implantation"),
    "identified": ("1", "share of the implantations in which the rule was identified"),
    "shortfall": ("1", "balanced accuracy below that of the best design"),
    "shortfall_interval": ("1", "bounds of the shortfall"),
    "interval": ("1", "bounds of the balanced accuracy"),
    "simultaneous_interval": ("1", "bounds that hold for all results of the table at once"),
    "explained": ("1", "share of the variance among subjects that is explained"),
    "explained_interval": ("1", "bounds of the share explained"),
    "typical_factor": ("1", "factor by which a typical estimate is off"),
    "relevance": ("1", "balanced accuracy lost when a group of columns is exchanged"),
    "relevance_interval": ("1", "bounds of the accuracy lost"),
    "gini": ("1", "mean decrease of impurity in a forest"),
    "gini_error": ("1", "standard error of the mean decrease of impurity over trees"),
    "probability": ("1", "calibrated probability of the rule"),
    "p_value": ("1", "share of the rule's subjects that conform no better"),
    "familiar": ("1", "share of the known subjects that look at least as foreign"),
    "control_accuracy": ("1", "balanced accuracy of a control"),
    "control_interval": ("1", "bounds of the balanced accuracy of a control"),
    "control_passed": ("1", "whether a control passed: 1 or 0"),
    "control_p_value": ("1", "how often guessing does as well as a control"),
    "control_subjects": ("1", "subjects that were left for a control"),
    "control_note": ("", "what must be said with a control, or why it was not asked"),
    "control_kind": ("", "whether a control must be at chance, be beaten, or be survived"),
    "held_out_accuracy": ("1", "balanced accuracy on a group that was held out of training"),
    "held_out_interval": ("1", "bounds of the balanced accuracy on a group held out"),
    "left_out_auroc": ("1", "area under the curve of a rule left out of training"),
    "reliability_stated": ("1", "mean probability of the rule that was named"),
    "reliability_observed": ("1", "share of the named rules that were right"),
    "reliability_count": ("1", "subjects in the bin"),
    "calibration_error": ("1", "expected calibration error"),
    "calibration_error_least": ("1", "calibration error that exact probabilities would give"),
    "brier": ("1", "Brier score, summed over rules"),
    "coverage": ("1", "share of subjects whose true rule is in their set"),
    "set_size": ("1", "mean number of rules in a set"),
    "units": ("1", "recorded units"),
    "units_per_layer": ("1", "recorded units in each layer"),
    "synapses": ("1", "measured synapses"),
    "synapses_per_layer": ("1", "measured synapses in each layer"),
    "visits": ("1", "visits"),
    "stimuli": ("1", "stimuli"),
    "noise.snr": ("1", "signal-to-noise ratio"),
    "noise.unit_snr": ("1", "signal-to-noise ratio of a unit"),
    "noise.sigma": ("1", "standard deviation of the noise"),
    "turnover": ("1", "share of units lost between visits"),
    "spikes.trials": ("1", "trials of each stimulus"),
}


def describe(name: str) -> dict[str, str]:
    """Attributes of a stored variable: its units (where it has any) and its long name.

    >>> describe("validation_loss")
    {'units': 'nat', 'long_name': 'validation loss'}
    """
    units, long_name = _DESCRIPTIONS.get(name, ("", name.replace("_", " ")))
    return {"units": units, "long_name": long_name} if units else {"long_name": long_name}


def describe_flags(meanings: dict[int, str]) -> dict[str, object]:
    """CF attributes of an integer variable whose values stand for words."""
    return {"flag_values": list(meanings), "flag_meanings": " ".join(meanings.values())}
