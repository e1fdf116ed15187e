"""What every entity must have said once the tables are mapped: a mistake is named where it stands, at the start."""

from sqlalchemy import inspect

from models.base.entity import Entity, columns_of, entities, fields_of
from models.base.masks import MASKS


def require_sayings() -> None:
    """Raise ValueError naming the first class and column that says too little, or names what is not there."""
    for model in entities():
        if model.__module__.startswith("models."):
            _require(model)


def _require(model: type[Entity]) -> None:
    name, known = model.__name__, fields_of(model)
    for column, facts in known.items():
        if not facts.label:
            raise ValueError(
                f"{name}.{column} is a plain column: make it by a helper of models/base/columns.py"
            )
        if facts.mask and facts.mask not in MASKS:
            raise ValueError(
                f"{name}.{column}: no mask “{facts.mask}”, there are {', '.join(MASKS)}"
            )
    names = columns_of(model)
    # A reference is also shown by the name of its relation.
    there = {*names, *(one.removesuffix("_id") for one in names)} | set(
        inspect(model).relationships.keys()
    )
    spec = model.spec
    for where in ("listed", "searched", "filtered", "sums", "key", "on_sheet"):
        if strange := [one for one in getattr(spec, where) if one not in there]:
            raise ValueError(f"{name}: Spec.{where} names {strange}, which are no columns of it")
