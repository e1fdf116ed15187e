"""What the generator may fill in for others: rows of grids, and small forms beside look-ups."""

from models.base.entity import Entity
from models.base.fields import FieldFacts
from models.base.kinds import SpecKind
from views.kit.interface import model_of, shape
from workflows.base.context import Ctx

# Tables whose form is more than their columns: it is filled in by itself, never as a row or in a dialog.
OWN: set[str] = set()


def is_quick(model: type[Entity]) -> bool:
    """Whether a record may be made out of a look-up: by hand, alone, and by what its columns say."""
    table, spec = str(model.__tablename__), model.spec
    is_made = spec.kind is SpecKind.MASTER and "add" in spec.saved_by
    return is_made and table not in OWN and shape(model).owner is None


def quick_url(ctx: Ctx, facts: FieldFacts) -> str:
    """Where what this reference misses is made; empty where the reader may not, or a small form cannot."""
    target = model_of(facts.target)
    if target is None or not ctx.actor.may("add", facts.target):
        return ""
    return f"/{facts.target}/quick" * is_quick(target)
