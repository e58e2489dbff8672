import re
from xml.etree import ElementTree

import numpy as np
import pytest

from evenkeel.errors import ShapeError
from evenkeel.page.sequences import MOST_CHANNELS, PANELS, ShownSequence, chosen_sequences, sequences_section


def made(count: int, channels: int = 2) -> list[ShownSequence]:
    generator = np.random.default_rng(0)
    return [
        ShownSequence(
            values=generator.normal(size=(5 + index, channels)),
            truth=f"t{index}",
            prediction="p<&",
            miss=index / count,
            right=index % 2 == 0,
        )
        for index in range(count)
    ]


def test_draws_each_channel_of_each_sequence_and_says_both_answers():
    section = sequences_section(made(4), ["left", "right"])
    assert section.svg.count("<path") == 4 * 2
    assert "true: t3 · predicted: p&lt;&amp;" in section.svg and ">left<" in section.svg
    ElementTree.fromstring(section.svg)


def test_the_worst_predicted_come_first_and_no_more_than_a_page():
    chosen = chosen_sequences(made(50))
    assert len(chosen) == PANELS
    assert [one.truth for one in chosen[:3]] == ["t49", "t48", "t47"] and chosen[-1].truth == "t5"
    assert "worst" in sequences_section(made(50), ["a", "b"]).caption
    assert sequences_section(made(3), ["a", "b"]).caption == ""


def test_right_and_wrong_differ_in_colour():
    colours = re.findall(r'<text[^>]*fill="([^"]+)"[^>]*>true', sequences_section(made(2), ["a", "b"]).svg)
    assert len(set(colours)) == 2


def test_of_many_channels_those_that_vary_most_are_drawn():
    values = np.tile(np.arange(10.0)[:, None], (1, 20)) * np.arange(20)
    section = sequences_section([ShownSequence(values=values)], [f"c{index}" for index in range(20)])
    assert section.svg.count("<path") == MOST_CHANNELS
    assert ">c19<" in section.svg and ">c0<" not in section.svg and "14 more" in section.caption


def test_answers_of_each_step_are_two_lines():
    steps = {"truth_steps": np.array([0, 1, 1]), "predicted_steps": np.array([0, 0, 1])}
    section = sequences_section([ShownSequence(values=np.zeros((3, 9)), **steps)], list("abcdefghi"))
    assert section.svg.count("<path") == 2 and "prediction" in section.svg


def test_one_step_gaps_and_nothing():
    assert sequences_section([], ["a"]) is None
    gaps = np.array([[np.nan, 1.0]])
    ElementTree.fromstring(sequences_section([ShownSequence(values=gaps)], ["a", "b"]).svg)
    with pytest.raises(ShapeError, match=r"\(step, channel\), got shape \(3,\)"):
        ShownSequence(values=np.zeros(3))
