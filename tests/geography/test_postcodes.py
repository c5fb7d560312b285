"""The postcodes are complete and say where they come from."""

from importlib import resources

import pytest

from leerbudget.geography.postcodes import UnknownPostcode, all_places, place_of


def test_every_postcode_lies_in_the_netherlands():
    """All 4,086 areas are there and lie within the European Netherlands."""
    places = all_places()
    assert len(places) == 4086
    assert all(50.7 < p.lat < 53.6 and 3.3 < p.lon < 7.3 for p in places.values())
    assert len({p.province for p in places.values()}) == 12


def test_a_place_is_found_by_its_digits():
    """Utrecht's station area is in Utrecht."""
    place = place_of("3511")
    assert (place.place, place.municipality, place.province) == ("Utrecht", "Utrecht", "Utrecht")


@pytest.mark.parametrize("digits", ["", "0000", "1000", "35 11", "3511AB", "\x00"])
def test_an_unknown_postcode_is_refused_by_name(digits):
    """Four digits that are no postcode give an error that names them."""
    with pytest.raises(UnknownPostcode) as refused:
        place_of(digits)
    assert refused.value.postcode4 == digits


def test_the_source_is_named_beside_the_data():
    """GeoNames asks for attribution; it travels with the file."""
    text = resources.files("leerbudget.geography").joinpath("pc4.attribution.txt").read_text(encoding="utf-8")
    assert "GeoNames" in text
    assert "CC BY 4.0" in text
