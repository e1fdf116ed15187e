"""Kinds of configuration by the words of the screens; people filter by any word."""

import pytest

from reports.figures.configuration import label_of


@pytest.mark.parametrize(
    ("table", "label"),
    [("approval_flow", "审批流程"), ("project", "担保项目"), ("有限", "有限")],
)
def test_a_kind_is_called_as_people_call_it_and_a_word_that_is_none_stays(table, label):
    assert label_of(table) == label
