"""Whether a rule is local: what information has to reach a synapse, and where it is available."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType


class Availability(Enum):
    """Where information is available; the value is what pages print."""

    SYNAPSE = "at the synapse"
    EVERYWHERE = "the same for the whole network"
    ELSEWHERE = "from other synapses"


class Need(Enum):
    """Information that has to reach a synapse: its description, and where it is available."""

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
        """What it is, to follow "a synapse needs"."""
        return self.value[0]

    @property
    def availability(self) -> Availability:
        """Where it is available."""
        return self.value[1]


def needs_by_availability(rule: type) -> Mapping[Availability, tuple[Need, ...]]:
    """Sort a rule's needs by where they are available; empty groups are left out.

    Parameters
    ----------
    rule : type
        Class of a rule, whose ``needs`` are read.

    Returns
    -------
    mapping from Availability to tuple of Need
    """
    known = [each for each in getattr(rule, "needs", ()) if isinstance(each, Need)]
    groups = {place: tuple(n for n in known if n.availability is place) for place in Availability}
    return MappingProxyType({place: found for place, found in groups.items() if found})


def locality(rule: type) -> str:
    """Whether a synapse could compute a rule from what reaches it.

    Parameters
    ----------
    rule : type
        Class of a rule, whose ``needs`` are read.

    Returns
    -------
    str
        ``"yes"``: everything is available at the synapse. ``"partly"``: the rest is the same for
        the whole network, such as a second pass or one number for each image. ``"no"``: something
        belongs to other synapses. ``"not said"``: the rule declares no needs.
    """
    found = needs_by_availability(rule)
    if not found:
        return "not said"
    if Availability.ELSEWHERE in found:
        return "no"
    return "partly" if Availability.EVERYWHERE in found else "yes"
