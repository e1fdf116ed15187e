"""A test that looks at many things at once must not go green because it looked at some."""

import pytest

from tests.structure.each import each


def test_every_value_that_is_wrong_is_told_and_none_hides_another():
    @each("one, other", lambda: [(1, 1), (1, 2), (2, 2), (3, 4)])
    def same(one, other, told):
        told.append(one)
        assert one == other

    told = []
    with pytest.raises(ExceptionGroup, match="2 of 4") as wrong:
        same(told=told)
    assert told == [1, 1, 2, 3]
    assert [error.__notes__ for error in wrong.value.exceptions] == [["at 1, 2"], ["at 3, 4"]]


def test_nothing_to_look_at_is_wrong():
    @each("one", ())
    def fine(one):
        del one

    with pytest.raises(AssertionError, match="nothing to look at"):
        fine()
