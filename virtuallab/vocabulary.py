"""Names of dimensions, coordinates and flag values, and descriptions of stored variables."""

from __future__ import annotations

from typing import Final, Literal

SUBJECT: Final = "subject"
VISIT: Final = "visit"
STIMULUS: Final = "stimulus"
LAYER: Final = "layer"
UNIT: Final = "unit"
SYNAPSE: Final = "synapse"
MEMBER: Final = "member"  # one of the units that a channel averages
STATISTIC: Final = "statistic"
CHANGE_NAME: Final = "change_name"  # differs from the variable with this labelled axis
OBSERVABLE: Final = "observable"
PARAMETER: Final = "parameter"
NETWORK: Final = "network"  # an untrained network, on which instruments are calibrated
PROBE: Final = "probe"
CLASSIFIER: Final = "classifier"
CONTROL: Final = "control"
RULE: Final = "rule"
PERFORMANCE: Final = "validation_performance"  # by the measure of the task
LEARNING_RATE_FACTOR: Final = "learning_rate_factor"  # of an architecture
PAIR: Final = "pair"  # subjects of different rules that share random streams
DESIGN: Final = "design"  # a probe that is compared with others
SEED: Final = "seed"

WEIGHTS: Final = "weights"
ACTIVITY: Final = "activity"
ACTIVITY_CHANGE: Final = "activity_change"
Observable = Literal["weights", "activity", "activity_change"]
OBSERVABLES: Final[tuple[Observable, ...]] = (WEIGHTS, ACTIVITY, ACTIVITY_CHANGE)
ALL: Final = "all"  # the changes of all observables together
THEORY: Final = "theory"  # changes that theories of learning predict; not among "all"
THEORY_READS: Final = (WEIGHTS, ACTIVITY)  # observables from which these are computed

NO_LEARNING: Final = "no learning"  # an answer beside the rules; no label of a rule has a space

CROSS_ENTROPY: Final = "cross_entropy"
SQUARED_ERROR: Final = "squared_error"
SINGLE: Final = "single"  # the precision of training if none is named
MIXED: Final = "mixed"
Precision = Literal["single", "mixed"]
SHUFFLED: Final = "shuffled"  # the curriculum of subjects for which none is named
CONSTANT: Final = "constant"  # the schedule of learning rates for which none is named

# Coordinates with different values in each subject: the units, synapses and stimuli of its implant.
CHOSEN: Final = (
    "stimulus_index",
    "stimulus_label",
    "stimulus_order",
    "unit_index",
    "unit_matched",
    "unit_x",
    "unit_y",
    "unit_depth",
    "synapse_index",
)

PENDING: Final = 0  # the value of an unwritten integer
DONE: Final = 1
FAILED: Final = 2
DIVERGED: Final = 3
STATUS: Final = {PENDING: "pending", DONE: "done", FAILED: "failed", DIVERGED: "diverged"}

NO_CLASS: Final = -1  # label of a stimulus of unknown class

LIVE: Final = 0
DEAD: Final = 1  # constant: all units have the same value, so ratios to its spread are undefined
EXPLODED: Final = 2  # not a finite number
FLAGS: Final = {LIVE: "live", DEAD: "dead", EXPLODED: "exploded"}


def subject_name(index: int, count: int = 0) -> str:
    """Name of the subject with an index, counted from 0, with as many digits as ``count`` needs.

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
    "unit_matched": ("1", "whether the unit is the same as at the previous visit"),
    "unit_x": ("um", "position of the unit across the columns of the map"),
    "unit_y": ("um", "position of the unit across the rows of the map"),
    "unit_depth": ("um", "depth of the unit below the surface"),
    "synapse_index": ("1", "index of the synapse in its layer's flattened kernel"),
    "stimulus_label": ("1", "class of the stimulus"),
    "stimulus_order": ("1", "place of the stimulus in the order of the visit, from 0"),
    RULE: ("", "plasticity rule"),
    "architecture": ("", "architecture"),
    "family": ("", "family of the architecture"),
    "task": ("", "task"),
    "loss": ("", "loss that the subject minimises"),
    "curriculum": ("", "choice and order of the training images"),
    "schedule": ("", "change of the learning rate during training"),
    "start_from": ("", "training before visit 0"),
    "precision": ("", "precision of training"),
    "optimizer": ("", "optimizer"),
    "learning_rate": ("1", "learning rate"),
    "replicate": ("1", "replicate"),
    LEARNING_RATE_FACTOR: ("1", "factor of the learning rates in this architecture"),
    "model_seed": ("1", "model seed"),
    "data_seed": ("1", "data seed"),
    PAIR: ("1", "pair, whose subjects share random streams"),
    "status": ("", "status of the subject"),
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
    PERFORMANCE: ("1", "validation performance"),
    "weight_angle": ("degree", "angle between forward and backward weights"),
    "projection_angle": ("degree", "angle between projections by forward and backward weights"),
    "local_gradient_angle": (
        "degree",
        "angle between the errors returned by backward and by forward weights",
    ),
    "gradient_angle": ("degree", "angle between the update direction and the gradient"),
    "total_gradient_angle": (
        "degree",
        "angle between the update direction of all parameters and the gradient",
    ),
    "weight_norm_ratio": (
        "1",
        "norm of the backward weights divided by that of the forward weights",
    ),
    "gradient_norm_ratio": ("1", "norm of the update direction divided by that of the gradient"),
    "sign_agreement": (
        "1",
        "share of synapses whose forward and backward weights have the same sign",
    ),
    "balanced_accuracy": ("1", "balanced accuracy"),
    "accuracy_by_seed": ("1", "balanced accuracy of each implantation"),
    "identified": ("1", "share of the implantations in which the rule was identified"),
    "shortfall": ("1", "balanced accuracy below that of the best design"),
    "shortfall_interval": ("1", "bounds of the shortfall"),
    "interval": ("1", "bounds of the balanced accuracy"),
    "pair_effect": ("1", "variance relative to that of subjects that are not paired"),
    "simultaneous_interval": ("1", "bounds corrected for the number of results"),
    "explained": ("1", "share of the variance among subjects that is explained"),
    "explained_interval": ("1", "bounds of the share explained"),
    "typical_factor": ("1", "typical factor between estimate and true value"),
    "relevance": ("1", "balanced accuracy lost when a group of columns is permuted"),
    "relevance_interval": ("1", "bounds of the accuracy lost"),
    "gini": ("1", "mean decrease of impurity in a forest"),
    "gini_error": ("1", "standard error of the mean decrease of impurity over trees"),
    "probability": ("1", "calibrated probability of the rule"),
    "p_value": ("1", "conformal p-value: share of the rule's subjects that conform no better"),
    "changed": ("1", "share of unchanging recordings that change at least as much"),
    "familiar": ("1", "share of the known subjects that are at least as novel"),
    "control_accuracy": ("1", "balanced accuracy of a control"),
    "control_interval": ("1", "bounds of the balanced accuracy of a control"),
    "control_difference": (
        "1",
        "accuracy of the recording minus that of the control (beat) or chance (survive)",
    ),
    "control_difference_interval": ("1", "bounds of the difference of a control"),
    "control_passed": ("1", "whether a control passed: 1 or 0"),
    "control_p_value": ("1", "probability that guessing is as accurate as the control"),
    "control_subjects": ("1", "subjects that a control decodes"),
    "control_note": ("", "note on a control, or the reason why it was not evaluated"),
    "control_kind": ("", "condition of a control: chance, beat or survive"),
    "held_out_accuracy": ("1", "balanced accuracy on a group that was held out of training"),
    "held_out_interval": ("1", "bounds of the balanced accuracy on a group held out"),
    "referenced_accuracy": (
        "1",
        "balanced accuracy on a group held out, relative to references of its kind",
    ),
    "referenced_interval": ("1", "bounds of the balanced accuracy relative to references"),
    "left_out_auroc": ("1", "area under the ROC curve for detecting a rule left out of training"),
    "reliability_stated": ("1", "mean probability of the most probable rule"),
    "reliability_observed": ("1", "share of subjects whose most probable rule is correct"),
    "reliability_count": ("1", "subjects in the bin"),
    "calibration_error": ("1", "expected calibration error"),
    "calibration_error_least": ("1", "expected calibration error of exact probabilities"),
    "log_loss": ("nat", "mean negative logarithm of the probability of the true rule"),
    "novelty_auroc": ("1", "area under the ROC curve for detecting rules that are not named"),
    "kind_accuracy": ("1", "balanced accuracy of a kind"),
    "kind_interval": ("1", "bounds of the balanced accuracy of a kind"),
    "kind_subjects": ("1", "subjects of the kind"),
    "brier": ("1", "Brier score, summed over rules"),
    "coverage": ("1", "share of subjects whose prediction set contains the true rule"),
    "set_size": ("1", "mean number of rules in a prediction set"),
    "empty_sets": ("1", "share of subjects whose prediction set is empty"),
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
    "daily_loss": ("1", "share of units lost within a day"),
    "daily_return": ("1", "share of lost units found again within a day"),
    "visit_interval": ("d", "days from one preserved visit to the next"),
    "radius": ("um", "pick-up radius"),
    "drift": ("um", "displacement of the device within a day"),
    "spikes.trials": ("1", "trials of each stimulus"),
}


def describe(name: str) -> dict[str, str]:
    """Attributes of a stored variable: its units, if it has any, and its long name.

    >>> describe("validation_loss")
    {'units': 'nat', 'long_name': 'validation loss'}
    """
    units, long_name = _DESCRIPTIONS.get(name, ("", name.replace("_", " ")))
    return {"units": units, "long_name": long_name} if units else {"long_name": long_name}


def describe_flags(meanings: dict[int, str]) -> dict[str, object]:
    """CF attributes of an integer variable whose values represent words."""
    return {"flag_values": list(meanings), "flag_meanings": " ".join(meanings.values())}
