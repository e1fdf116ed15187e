"""What an entity says wrongly is named in a sentence when the program starts, not found out by a click."""

from dataclasses import replace

import pytest
from sqlalchemy import Column, String

from app.roles import all_permissions
from models.base import columns as c
from models.base import rows, sayings
from models.base.entity import PartOf, _require_line, columns_of, entities, entity_of, fields_of
from models.base.fields import _KEY
from models.base.paper import PaperState
from models.customer.detail import BankAccount
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.release import Release


def test_a_plain_column_is_named(monkeypatch):
    monkeypatch.delitem(columns_of(Release)["letter_no"].info, _KEY)
    with pytest.raises(ValueError, match=r"Release\.letter_no is a plain column"):
        sayings.require_sayings()
    assert not Column("x", String()).info


def test_a_mask_that_is_not_there_is_named(monkeypatch):
    info = columns_of(BankAccount)["account_no"].info
    monkeypatch.setitem(info, _KEY, replace(info[_KEY], mask="iban"))
    with pytest.raises(ValueError, match=r"BankAccount\.account_no: no mask “iban”, there are id_"):
        sayings.require_sayings()


def test_a_column_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(Release, "spec", replace(Release.spec, on_sheet=("notes",)))
    with pytest.raises(ValueError, match=r"Release: Spec\.on_sheet names \['notes'\]"):
        sayings.require_sayings()


def test_a_part_waits_for_places_that_its_owner_reaches(monkeypatch):
    def part(**said):
        return PartOf(Release, "project_id", c.Part(**said))

    _require_line(Project, part(adds=(Stage.IN_FORCE,), since=Stage.IN_FORCE))
    assert ProjectState.IN_FORCE in Project.spec.runs, "a tab of a project in force may add"
    with pytest.raises(ValueError, match="is no place on the line of Project"):
        _require_line(Project, part(adds=(PaperState.DRAFT,)))
    monkeypatch.setattr(Project, "spec", replace(Project.spec, runs=()))
    with pytest.raises(ValueError, match="Project never runs"):
        _require_line(Project, part(adds=(Stage.IN_FORCE,)))


def test_a_table_is_given_to_roles_that_are_there(monkeypatch):
    monkeypatch.setattr(Release, "spec", replace(Release.spec, roles={"出纳员": ("list",)}))
    with pytest.raises(ValueError, match="Release is given to roles that are not there"):
        all_permissions()


def test_rows_that_entities_bring_fill_columns_that_are_there():
    """Each helper of models/base/rows.py, whether an entity uses it yet or not."""
    helped = [*rows.numbered("x", "某", "X{no}"), *rows.dictionary("x", "某", A="甲")]
    helped += rows.decided("x", "某", ("审核", rows.MANAGER), ("审批", "risk"))
    brought = [row for model in entities() for row in model.spec.seeds]
    for row in (*helped, *brought):
        assert row.values.keys() <= fields_of(entity_of(row.table)).keys(), row
