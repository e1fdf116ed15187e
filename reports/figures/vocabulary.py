"""What rules may name that stands in no code, as of now: the users' dictionaries and the fields that they defined."""

from sqlalchemy.orm import Session

from models.base.entity import Entity
from models.base.fields import FieldFacts
from reports.figures import custom_fields, dictionaries
from reports.rules.names import Vocabulary


def vocabulary(session: Session) -> Vocabulary:
    """The words of rules in a session."""

    def defined(model: type[Entity]) -> dict[str, FieldFacts]:
        return custom_fields.defined(session, model)

    return Vocabulary(lambda code: dictionaries.items(session, code), defined)
