"""A file with weights is read strictly, and what it changes for first places is said aloud."""

import pytest

from leerbudget.matcher.criteria.weights import DEFAULTS
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.weights_file import (
    first_place_wins,
    most_of_one_placement,
    read_weights,
    warnings_nl,
    weight_rows,
)


def test_named_weights_are_read_and_others_left_alone():
    """Only what the file names is in the answer."""
    assert read_weights(b'{"travel": 60, "form": 0}') == {"travel": 60, "form": 0}
    assert read_weights(b"{}") == {}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"", "$"),
        (b"[1]", "$"),
        (b'"travel"', "$"),
        (b"\xff", "$"),
        (b'{"travel": NaN}', "$"),
        (b'{"travel": ' + b"9" * 5000 + b"}", "$"),
        (b"[" * 100_000, "$"),
        (b'{"travle": 60}', "$.travle"),
        (b'{"travel": 60, "travel": 30}', "$.travel"),
        (b'{"travel": -1}', "$.travel"),
        (b'{"travel": 100001}', "$.travel"),
        (b'{"travel": 6.5}', "$.travel"),
        (b'{"travel": true}', "$.travel"),
        (b'{"travel": "60"}', "$.travel"),
        (b'{"travel": null}', "$.travel"),
    ],
)
def test_anything_else_is_refused_with_its_place(text, place):
    """Not JSON, not an object, an unknown or double name, or no whole number in the range."""
    with pytest.raises(InstanceRefused) as refused:
        read_weights(text)
    assert refused.value.path == place


def test_every_weight_has_its_words():
    """Each weight of the code is in the table once, with a label, a meaning and a share."""
    rows = weight_rows()
    assert {name: default for name, _, default, _, _ in rows} == DEFAULTS
    assert all(label and meaning.endswith(".") and share for _, label, _, meaning, share in rows)


def test_a_first_place_wins_with_the_defaults():
    """270 points is the most of one placement, and a first place brings more; a small bonus is warned about."""
    assert most_of_one_placement(DEFAULTS) == 270
    assert first_place_wins(DEFAULTS)
    assert warnings_nl(DEFAULTS) == []
    low = DEFAULTS | {"first_placement": 270}
    assert not first_place_wins(low)
    assert "tweede plek" in warnings_nl(low)[0]
    assert warnings_nl(DEFAULTS | {"waiting_round": 0}) == ["Wachten telt met deze gewichten niet mee."]
