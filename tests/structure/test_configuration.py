"""Whatever administrators set up is configuration, with versions, or says here why it is not (X15)."""

from models.base.entity import entities, entity_of, fields_of, owner_of
from models.base.kinds import MenuGroup, SpecKind
from reports.figures.configuration import columns_in, key_columns, kinds, parts_below, way_up
from workflows.base import seeds

NOT_CONFIGURATION = {
    "company": "the company itself: its name and seal stand in the trail",
    "department": "the organisation, which changes with people",
    "employee": "people",
    "operator": "who signs in: roles and passwords have verbs of their own",
    "income_history": "figures of the books before",
}


def of_administrators():
    """Tables that releases seed, or that people edit in the back office or among the settings of the books."""
    seeded = {*seeds._files(seeds.SEEDS)}
    for model in entities():
        spec = model.spec
        is_set_up = spec.module.is_back_office or spec.group is MenuGroup.BOOK_SETUP
        if spec.kind in (SpecKind.MASTER, SpecKind.DOCUMENT) and (
            is_set_up or model.__tablename__ in seeded
        ):
            yield model


def test_every_setting_has_versions_or_a_reason():
    missing = {
        model.__tablename__
        for model in of_administrators()
        if way_up(model) is None and model.__tablename__ not in NOT_CONFIGURATION
    }
    assert not missing, "say config=Config() on the Spec, or here why not"


def test_no_reason_is_left_over():
    known = {model.__tablename__ for model in of_administrators()}
    assert NOT_CONFIGURATION.keys() <= known
    assert not [name for name in NOT_CONFIGURATION if way_up(entity_of(name)) is not None]


def test_a_content_names_everything_by_natural_keys():
    """What a version refers to has a key that holds in every installation; so have its parts among each other."""
    for table in kinds():
        todo = [(entity_of(table), "")]
        while todo:
            model, owner = todo.pop()
            todo += parts_below(model)
            assert model.spec.key, model
            if not owner:
                assert set(key_columns(model)) <= set(fields_of(model)), model
            else:
                assert owner_of(model), model
            for name in columns_in(model, owner):
                target = fields_of(model)[name].target
                assert not target or entity_of(target).spec.key, (model, name)
