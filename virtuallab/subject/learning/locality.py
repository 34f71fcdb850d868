"""What a synapse has to know to change as a rule says, as named facts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType


class Reach(Enum):
    """Where a fact is to be had; the value is how a page calls it."""

    SYNAPSE = "at the synapse"
    EVERYWHERE = "the same for the whole network"
    ELSEWHERE = "from other synapses"


class Need(Enum):
    """One thing that has to reach a synapse. The value is its words, and where it is to be had."""

    INPUT = "its input", Reach.SYNAPSE
    RESPONSE = "its neuron's response", Reach.SYNAPSE
    RESPONSE_SENT_BACK = "its neuron's response, sent back through backward weights", Reach.SYNAPSE
    FIXED_ERROR = "an error through fixed backward weights", Reach.SYNAPSE
    LEARNED_ERROR = "an error through backward weights that learn", Reach.SYNAPSE
    OUTPUT_ERROR = "the output's error, through fixed weights of its own", Reach.SYNAPSE
    OUTPUT_TARGET = "the target, through fixed weights of its own", Reach.SYNAPSE
    TARGET = "its neuron's target, through weights that learn", Reach.SYNAPSE
    PREDICTION_ERROR = "its neuron's prediction error", Reach.SYNAPSE
    RECIPROCAL = "both signals of the reciprocal synapse", Reach.SYNAPSE
    NEURON_NOISE = "the noise in its neuron", Reach.SYNAPSE
    OWN_NOISE = "its own noise", Reach.SYNAPSE

    PAIRED_PASS = "a second pass of the same images, without the noise", Reach.EVERYWHERE
    DISTURBED_PASS = "a second pass of the same images, with noise", Reach.EVERYWHERE
    WRONG_PASS = "a second pass with a wrong label, and which pass it is", Reach.EVERYWHERE
    RELAXATION = "several steps of inference on the same images", Reach.EVERYWHERE
    NOISE_PHASE = "phases in which noise drives every layer", Reach.EVERYWHERE
    IMAGE_LOSS = "one number for each image, its loss", Reach.EVERYWHERE
    IMAGE_REWARD = "one number for each image, its reward", Reach.EVERYWHERE
    BATCH_LOSS = "one number for each batch, its mean loss", Reach.EVERYWHERE

    FORWARD_WEIGHTS = "the forward weights, on the way back", Reach.ELSEWHERE
    FORWARD_SIGNS = "the signs of the forward weights", Reach.ELSEWHERE
    WEIGHT_ESTIMATE = "an estimate of the forward weights", Reach.ELSEWHERE
    RESPONSE_ABOVE = "the response, where the backward weight ends", Reach.ELSEWHERE

    @property
    def words(self) -> str:
        """What it is, to stand after "a synapse needs"."""
        return self.value[0]

    @property
    def reach(self) -> Reach:
        """Where it is to be had."""
        return self.value[1]


def facts(rule: type) -> Mapping[Reach, tuple[Need, ...]]:
    """Sort what a rule needs by where it is to be had; empty places are left out.

    Parameters
    ----------
    rule : type
        A rule's class; its ``needs`` are read.
    """
    known = [each for each in getattr(rule, "needs", ()) if isinstance(each, Need)]
    sorted_ = {reach: tuple(n for n in known if n.reach is reach) for reach in Reach}
    return MappingProxyType({reach: found for reach, found in sorted_.items() if found})


def locality(rule: type) -> str:
    """Say whether a synapse could compute a rule from what reaches it.

    Returns
    -------
    str
        ``"yes"``: everything is at the synapse. ``"partly"``: all the rest is the same for the
        whole network, as a second pass or one number for each image. ``"no"``: something belongs to
        other synapses. ``"not said"``: the rule names no needs.
    """
    found = facts(rule)
    if not found:
        return "not said"
    if Reach.ELSEWHERE in found:
        return "no"
    return "partly" if Reach.EVERYWHERE in found else "yes"
