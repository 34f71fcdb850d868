import matplotlib as mpl

from virtuallab.report.style import looks, theme


def test_a_label_keeps_its_look_whoever_stands_beside_it():
    alone = looks(["a_rule_of_mine"])["a_rule_of_mine"]
    assert looks(["a_rule_of_mine", "adam", "sgdm"])["a_rule_of_mine"] == alone
    assert looks(["adam"])["adam"] == looks(["adam", "feedback_alignment"])["adam"]


def test_no_two_labels_of_a_report_look_alike():
    labels = [f"rule_{index}" for index in range(20)] + ["backprop", "sgd", "sgdm"]
    assert len(set(looks(labels).values())) == len(labels)


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
