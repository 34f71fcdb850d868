import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_rgb

from virtuallab.registry import RULES
from virtuallab.reporting.style import looks, theme


def test_a_label_keeps_its_look_whoever_stands_beside_it():
    alone = looks(["a_rule_of_mine"])["a_rule_of_mine"]
    assert looks(["a_rule_of_mine", "adam", "sgdm"])["a_rule_of_mine"] == alone
    assert looks(["adam"])["adam"] == looks(["adam", "feedback_alignment"])["adam"]


def test_no_two_labels_of_a_report_look_alike():
    labels = [f"rule_{index}" for index in range(40)] + ["backprop", "sgd", "sgdm"]
    assert len(set(looks(labels).values())) == len(labels)


def test_the_rules_of_the_package_differ_in_colour_as_far_as_colours_go():
    found = looks(RULES)
    assert len({look.colour for look in found.values()}) == 12
    for colour in {look.colour for look in found.values()}:
        alike = [look for look in found.values() if look.colour == colour]
        assert len({look.dash for look in alike}) == len({look.marker for look in alike})
        assert len({look.dash for look in alike}) == len(alike)


def contrast(colour, ground):
    """The WCAG's ratio of relative luminances."""
    luminance = []
    for rgb in (to_rgb(colour), to_rgb(ground)):
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in rgb]
        luminance.append(float(np.dot(linear, (0.2126, 0.7152, 0.0722))))
    return (max(luminance) + 0.05) / (min(luminance) + 0.05)


def test_every_colour_can_be_seen_on_the_light_page_and_on_the_dark_one():
    for look in looks(RULES).values():
        assert contrast(look.colour, "#ffffff") > 2.2
        assert contrast(look.colour, "#14171b") > 2.7


def test_looks_do_not_depend_on_the_order_of_the_labels():
    labels = ["sgd", "backprop", "mine", "yours", "sgdm"]
    assert looks(labels) == looks(reversed(labels))


def test_the_four_rules_of_a_first_protocol_differ_in_colour_and_dashes():
    found = looks(["sgdm", "adam", "feedback_alignment", "information_alignment"]).values()
    assert len({look.colour for look in found}) == 4
    assert len({look.dash for look in found}) == 4


def test_the_theme_leaves_the_settings_of_the_process_alone():
    with mpl.rc_context():
        mpl.rcParams["font.size"] = 31.0
        with theme():
            assert mpl.rcParams["font.size"] < 12
        assert mpl.rcParams["font.size"] == 31.0
