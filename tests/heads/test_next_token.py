import pytest
import torch

from evenkeel.errors import RequestError
from evenkeel.heads.next_token import check_drawing, next_token

LOGITS = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()


def frequencies(count=20000, **options):
    generator = torch.Generator().manual_seed(0)
    drawn = next_token(LOGITS.expand(count, -1), generator=generator, **options)
    return torch.bincount(drawn, minlength=4) / count


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0.5, 0.3, 0.15, 0.05]),
        ({"top_k": 2}, [0.625, 0.375, 0, 0]),
        ({"top_k": 9}, [0.5, 0.3, 0.15, 0.05]),
        ({"top_p": 0.7}, [0.625, 0.375, 0, 0]),
        ({"top_p": 0.4}, [1, 0, 0, 0]),
        ({"top_p": 1.0}, [0.5, 0.3, 0.15, 0.05]),
        ({"temperature": 0.5}, [x / 0.365 for x in (0.25, 0.09, 0.0225, 0.0025)]),
        ({"temperature": 0}, [1, 0, 0, 0]),
        ({"top_k": 3, "top_p": 0.5}, [1, 0, 0, 0]),
    ],
)
def test_tokens_come_as_often_as_the_options_say(options, expected):
    assert frequencies(**options).tolist() == pytest.approx(expected, abs=0.015)


def test_a_generator_repeats_itself():
    assert torch.equal(frequencies(), frequencies())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -1}, "temperature must be a finite number of 0 or more, got -1"),
        ({"temperature": float("nan")}, "temperature must be .*, got nan"),
        ({"temperature": float("inf")}, "temperature must be .*, got inf"),
        ({"top_k": 0}, "top_k must be a whole number of 1 or more, or None for all tokens, got 0"),
        ({"top_p": 0.0}, "top_p must be above 0 and up to 1, or None for all tokens, got 0.0"),
        ({"top_p": 1.5}, "top_p must be .*, got 1.5"),
        ({"top_p": float("nan")}, "top_p must be .*, got nan"),
    ],
)
def test_options_out_of_range_are_refused_by_name(options, message):
    with pytest.raises(RequestError, match=message):
        next_token(LOGITS[None], **options)


@pytest.mark.parametrize("options", [{"temperature": "warm"}, {"temperature": True}, {"top_k": 1.5}, {"top_p": "a"}])
def test_what_is_no_number_is_refused(options):
    with pytest.raises(RequestError, match=f"{next(iter(options))} must be"):
        check_drawing(**{"temperature": 0.8, **options})


def test_next_to_no_temperature_takes_the_most_probable_token():
    assert frequencies(count=100, temperature=1e-45).tolist() == [1, 0, 0, 0]
    assert frequencies(count=100, temperature=1e-29).tolist() == [1, 0, 0, 0]
