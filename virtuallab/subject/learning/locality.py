"""Locality of rules: what a synapse needs, where it is available, and how the error returns."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Availability(Enum):
    """Place where information is available; the value is printed on pages."""

    SYNAPSE = "at the synapse"
    EVERYWHERE = "the same for the whole network"
    ELSEWHERE = "from other synapses"


class Need(Enum):
    """Information that a synapse needs: its description, and where it is available."""

    INPUT = "its input", Availability.SYNAPSE
    RESPONSE = "its neuron's response", Availability.SYNAPSE
    RESPONSE_SENT_BACK = (
        "its neuron's response, sent back through backward weights",
        Availability.SYNAPSE,
    )
    FIXED_ERROR = "an error through fixed backward weights", Availability.SYNAPSE
    LEARNED_ERROR = "an error through backward weights that learn", Availability.SYNAPSE
    OUTPUT_ERROR = "the output's error, through fixed weights of its own", Availability.SYNAPSE
    OUTPUT_TARGET = "the target, through fixed weights of its own", Availability.SYNAPSE
    TARGET = "its neuron's target, through weights that learn", Availability.SYNAPSE
    PREDICTION_ERROR = "its neuron's prediction error", Availability.SYNAPSE
    RECIPROCAL = "both signals of the reciprocal synapse", Availability.SYNAPSE
    NEURON_NOISE = "the noise in its neuron", Availability.SYNAPSE
    OWN_NOISE = "its own noise", Availability.SYNAPSE

    PAIRED_PASS = "a second pass of the same images, without the noise", Availability.EVERYWHERE
    DISTURBED_PASS = "a second pass of the same images, with noise", Availability.EVERYWHERE
    WRONG_PASS = "a second pass with a wrong label, and which pass it is", Availability.EVERYWHERE
    RELAXATION = "several steps of inference on the same images", Availability.EVERYWHERE
    NOISE_PHASE = "phases in which noise drives every layer", Availability.EVERYWHERE
    IMAGE_LOSS = "one number for each image, its loss", Availability.EVERYWHERE
    IMAGE_REWARD = "one number for each image, its reward", Availability.EVERYWHERE
    BATCH_LOSS = "one number for each batch, its mean loss", Availability.EVERYWHERE

    FORWARD_WEIGHTS = "the forward weights, on the way back", Availability.ELSEWHERE
    FORWARD_SIGNS = "the signs of the forward weights", Availability.ELSEWHERE
    WEIGHT_ESTIMATE = "an estimate of the forward weights", Availability.ELSEWHERE
    RESPONSE_ABOVE = "the response, where the backward weight ends", Availability.ELSEWHERE

    @property
    def description(self) -> str:
        """Description that completes the sentence "A synapse needs ..."."""
        return self.value[0]

    @property
    def availability(self) -> Availability:
        """Place where it is available."""
        return self.value[1]


class ErrorReturn(Enum):
    """How the error reaches the hidden layers; the value is printed in reports."""

    FORWARD_WEIGHTS = "forward weights"
    FORWARD_SIGNS = "signs of forward weights"
    FIXED_WEIGHTS = "fixed backward weights"
    LEARNED_WEIGHTS = "learned backward weights"
    BROADCAST = "broadcast of error, target or reward"
    PERTURBATION = "perturbation"
    NONE = "no error"


class Objective(Enum):
    """Quantity that the hidden layers learn to improve; its value is printed in reports."""

    SUPERVISED = "supervised loss"
    REWARD = "reward"
    LOCAL = "local or unsupervised"
    NONE = "none"


def needs_by_availability(rule: type) -> Mapping[Availability, tuple[Need, ...]]:
    """Needs of a rule's class grouped by where they are available, without empty groups."""
    needs = [each for each in getattr(rule, "needs", ()) if isinstance(each, Need)]
    groups = {place: tuple(n for n in needs if n.availability is place) for place in Availability}
    return {place: group for place, group in groups.items() if group}


def locality(rule: type) -> str:
    """Locality of a rule's class, by the information that a synapse needs.

    ``"yes"``: all of it is available at the synapse. ``"partly"``: the rest is the same for the
    whole network, such as a second pass or one number for each image. ``"no"``: some of it belongs
    to other synapses. ``"not said"``: the rule declares no needs.
    """
    needs = needs_by_availability(rule)
    if not needs:
        return "not said"
    if Availability.ELSEWHERE in needs:
        return "no"
    return "partly" if Availability.EVERYWHERE in needs else "yes"
