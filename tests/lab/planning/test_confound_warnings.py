from __future__ import annotations

from pathlib import Path

import pytest

from tests.protocol.texts import SMALL
from virtuallab.lab.planning.confound_warnings import confound_warnings
from virtuallab.protocol import expand, read, read_text

# The subjects of kinds.yaml are not decoded: their learning rates are tuned for each rule.
SHIPPED = [
    path
    for path in sorted((Path(__file__).parents[3] / "protocols").glob("*.yaml"))
    if path.stem != "kinds"
]
RATE = "learning_rate: {log_uniform: [0.003, 0.1]}"
SGD = f"{{name: sgd, momentum: 0.9, {RATE}}}"
ADAM = "{name: adam, learning_rate: {log_uniform: [3e-4, 1e-2]}}"


def said(*rules: str, optimizer: str = SGD, start: str = "null") -> tuple[str, ...]:
    """Warnings about these entries of ``subjects.rules``."""
    begin, stop = SMALL.index("  rules:\n"), SMALL.index("  replicates:")
    entries = "".join(f"    - {rule}\n" for rule in rules)
    own = f"  rules:\n{entries}  optimizer: {optimizer}\n  start_from: {start}\n"
    text = f"{SMALL[:begin]}{own}{SMALL[stop:]}"
    protocol = read_text(text, name="p.yaml")
    return confound_warnings(protocol, expand(protocol))


def own(rule: str, optimizer: str, key: str = "optimizer") -> str:
    return f"{{name: {rule}, {key}: {optimizer}}}"


@pytest.mark.slow  # some have thousands of subjects
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_no_shipped_protocol_tells_a_rule_by_a_setting(path: Path) -> None:
    protocol = read(path)
    assert confound_warnings(protocol, expand(protocol)) == ()


def test_rules_that_share_all_they_have_in_common_are_not_warned_of() -> None:
    assert said("backprop", "feedback_alignment", "information_alignment") == ()


def test_the_setting_the_rule_and_the_remedy_are_named() -> None:
    slow = SGD.replace("0.9", "0.5")
    [one] = said("backprop", "feedback_alignment", own("sign_symmetry", slow))
    assert one.startswith(
        "optimizer.momentum: 0.5 in sign_symmetry alone, 0.9 in backprop and feedback_alignment."
    )
    assert one.endswith("Give all rules the same value, or the same range to draw from.")


def test_of_two_rules_both_are_named() -> None:
    [one] = said("backprop", own("feedback_alignment", SGD.replace("0.9", "0.5")))
    assert one.startswith("optimizer.momentum: 0.9 in backprop alone, 0.5 in feedback_alignment")


@pytest.mark.parametrize(
    ("start", "rules", "missing"),
    [
        ("{steps: 5}", ("backprop", "feedback_alignment"), "a rule"),
        (f"{{steps: 5, optimizer: {SGD}}}", ("backprop", "feedback_alignment"), "a rule"),
        ("{steps: 5, rule: backprop}", ("backprop", "feedback_alignment"), ""),
        # Two entries of one rule differ in the optimizer alone.
        (
            "{steps: 5, rule: backprop}",
            ("{name: backprop, label: sgdm}", f"{{name: backprop, optimizer: {ADAM}}}"),
            "an optimizer",
        ),
        (
            "{steps: 5}",
            ("feedback_alignment", f"{{name: backprop, optimizer: {ADAM}}}"),
            "a rule and an optimizer",
        ),
    ],
)
def test_pretraining_by_what_differs_between_rules_is_named(
    start: str, rules: tuple[str, ...], missing: str
) -> None:
    told = [each for each in said(*rules, start=start) if each.startswith("start_from: ")]
    assert len(told) == bool(missing)
    assert all(f"without {missing}, subjects learn by their own before" in each for each in told)


@pytest.mark.parametrize(
    ("written", "setting"),
    [
        (SGD.replace("[0.003, 0.1]", "[0.003, 0.05]"), "optimizer.learning_rate"),
        ("{name: sgd, momentum: 0.9, learning_rate: 0.03}", "optimizer.learning_rate"),
        (SGD.replace("log_uniform", "uniform"), "optimizer.learning_rate"),
        (SGD.replace("0.9", "{uniform: [0.8, 0.95]}"), "optimizer.momentum"),
        (SGD.replace("0.9,", "0.9, weight_decay: 1e-4,"), "optimizer.weight_decay"),
        (SGD.replace("0.9,", "0.9, nesterov: true,"), "optimizer.nesterov"),
        (SGD.replace("0.9,", "0.9, noise_fraction: 0.1,"), "optimizer.noise_fraction"),
    ],
)
def test_values_and_ranges_are_compared(written: str, setting: str) -> None:
    [one] = said("backprop", "feedback_alignment", own("sign_symmetry", written))
    assert one.startswith(f"{setting}: ")
    assert " in sign_symmetry alone" in one


def test_what_two_rules_share_is_not_warned_of() -> None:
    slow = SGD.replace("0.9", "0.5")
    pairs = [own("sign_symmetry", slow), own("hebbian", slow)]
    assert said("backprop", "feedback_alignment", *pairs) == ()


def test_an_optimizer_that_is_the_question_is_not_warned_of() -> None:
    adam = f"{{name: backprop, label: adam, optimizer: {ADAM}}}"
    # Adam's beta1, beta2 and epsilon are its own; its range is another, and as wide.
    assert said("backprop", adam, "feedback_alignment") == ()


def test_an_optimizer_of_one_rule_alone_is() -> None:
    [one] = said("backprop", "sign_symmetry", own("feedback_alignment", ADAM))
    assert one.startswith("optimizer: adam in feedback_alignment alone, sgd in backprop and sign")


def test_a_learning_rate_of_another_kind_of_optimizer_is_compared_by_its_width() -> None:
    narrow = "{name: adam, learning_rate: {log_uniform: [1e-3, 2e-3]}}"
    [one] = said("backprop", f"{{name: backprop, label: adam, optimizer: {narrow}}}", "oja")
    assert one.startswith("optimizer.learning_rate: log_uniform over a factor of 2 in adam alone")


def test_two_momenta_of_one_rule_are_the_question() -> None:
    slow = SGD.replace("0.9", "0.5")
    assert said("backprop", f"{{name: backprop, label: slow, optimizer: {slow}}}") == ()
    # Beside another kind of optimizer, what is asked is the kind, not its decay too.
    decaying = ADAM.replace("adam,", "adam, weight_decay: 0.1,")
    [one] = said("backprop", f"{{name: backprop, label: adam, optimizer: {decaying}}}", "oja")
    assert one.startswith("optimizer.weight_decay: 0.1 in adam alone, 0.0 in backprop and oja.")


def test_strengths_belong_to_a_rule() -> None:
    strong = "{name: symmetric_alignment, self: 0.7, decay: 0.3}"
    weak = "{name: information_alignment, decay: 0.01, amp: {log_uniform: [0.01, 0.1]}}"
    assert said("backprop", strong, weak) == ()


def test_settings_of_a_family_are_compared_within_it() -> None:
    families = ["symmetric_alignment", "information_alignment"]
    [one] = said("backprop", *families, "{name: activation_alignment, delay: 20}")[:1]
    assert one.startswith("delay: 20 in activation_alignment alone, 0 in symmetric_alignment and")
    assert said("backprop", "{name: information_alignment, positions: sum}") == ()


def test_two_entries_of_one_rule_ask_for_what_differs() -> None:
    assert said("hebbian", "oja", "{name: hebbian, label: slow, rate: 0.001}") == ()
    [one] = said("{name: hebbian, rate: 0.001}", "oja", "bcm")
    assert one.startswith("rate: 0.001 in hebbian alone, 0.1 in oja and bcm.")


def test_backward_weights_with_an_optimizer_of_their_own_are_compared() -> None:
    mine = own("information_alignment", "{name: adam}", "feedback_optimizer")
    [one] = said("backprop", mine, "symmetric_alignment", "activation_alignment")
    assert one.startswith("feedback_optimizer: adam in information_alignment alone, that of the f")
    both = own("symmetric_alignment", "{name: adam}", "feedback_optimizer")
    # Kolen-Pollack's weights share every step: it cannot have one.
    assert said("backprop", mine, both, "{name: kolen_pollack, decay: 0.0}") == ()


def test_a_decay_of_the_forward_weights_that_no_other_rule_has_is_named() -> None:
    [one] = said("backprop", "kolen_pollack", "feedback_alignment")
    assert one.startswith("kolen_pollack: its 'decay' lets the forward weights decay by 0.005, and")
    shared = SGD.replace("0.9,", "0.9, weight_decay: 0.005,")
    without = "{name: kolen_pollack, decay: 0.0}"
    assert said("backprop", without, "feedback_alignment", optimizer=shared) == ()


def test_a_rule_that_learns_less_often_is_named() -> None:
    [one] = said("backprop", "weight_mirror", "feedback_alignment")
    assert one.startswith("weight_mirror: its forward weights change 50 times in training, those")
    assert "100 times" in one
    assert "'equal: updates'" in one
    assert said("backprop", "{name: weight_mirror, equal: updates}", "feedback_alignment") == ()


def test_a_rule_whose_delay_lets_it_learn_less_often_is_told_to_leave_it_out() -> None:
    # `equal: updates`, which helps against alternation, is refused beside a delay.
    [one] = said("backprop", "{name: symmetric_alignment, delay: 10}", "feedback_alignment")
    assert "change 90 times" in one
    assert "'delay: 0'" in one
    assert "equal: updates" not in one


def test_one_rule_alone_has_nothing_to_be_told_from() -> None:
    assert said("weight_mirror") == ()
