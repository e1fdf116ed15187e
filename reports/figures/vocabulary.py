"""What rules may name that stands in no code, as of now: the users' dictionaries and the fields that they defined."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from models.base.actor import Actor
from models.base.entity import Entity
from models.base.fields import FieldFacts
from reports.figures import custom_fields, dictionaries
from reports.rules.names import Vocabulary


def vocabulary(session: Session, reader: Actor | None = None) -> Vocabulary:
    """The words of rules in a session; of a reader those that may be known to him."""

    def defined(model: type[Entity]) -> Mapping[str, FieldFacts]:
        if reader is not None:
            return custom_fields.seen(session, model, reader)
        return custom_fields.defined(session, model)

    return Vocabulary(lambda code: dictionaries.items(session, code), defined)
