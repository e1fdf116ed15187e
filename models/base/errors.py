"""Named errors of the business, each with the HTTP status that the edge gives it."""

from collections.abc import Mapping


class BusinessError(Exception):
    """A refusal that the user can understand and mend; nothing was changed.

    `field` names the column (or form field) the message belongs to; None means the whole record.
    """

    status = 400

    def __init__(self, message: str, *, field: str | None = None) -> None:
        """Keep the Chinese message and the field it belongs to."""
        super().__init__(message)
        self.message = message
        self.field = field

    @property
    def field_errors(self) -> dict[str, list[str]]:
        """Messages by field; '' holds those of the whole record."""
        return {self.field or "": [self.message]}


class FieldErrors(BusinessError):
    """Several fields are wrong at once."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        """Keep all messages by field name."""
        self._errors = {field: list(messages) for field, messages in errors.items()}
        super().__init__("；".join(m for messages in self._errors.values() for m in messages))

    @property
    def field_errors(self) -> dict[str, list[str]]:
        """Messages by field."""
        return self._errors


class NotAllowed(BusinessError):
    """The actor lacks the permission, the scope or the distance (own submission) for this verb."""

    status = 403

    def __init__(
        self, message: str, *, field: str | None = None, needed: tuple[str, str] | None = None
    ) -> None:
        """Keep which permission (verb, table) is lacking, so that the edge can name who holds it."""
        super().__init__(message, field=field)
        self.needed = needed


class NotFound(BusinessError):
    """No such record, or none that the actor may see."""

    status = 404

    def __init__(
        self, message: str = "记录不存在，或不在您的数据范围内", *, field: str | None = None
    ) -> None:
        """Say no more than that it is not there for this reader."""
        super().__init__(message, field=field)


class Conflict(BusinessError):
    """State or version of the record do not permit the verb now; `record` (table, id) is what stands in the way."""

    status = 409

    def __init__(
        self, message: str, *, field: str | None = None, record: tuple[str, int] | None = None
    ) -> None:
        """Keep what stands in the way, so that the edge can lead there."""
        super().__init__(message, field=field)
        self.record = record


class StaleRecord(Conflict):
    """Somebody else saved the record since it was opened; `changes` says what they changed (label, old, new)."""

    def __init__(self, message: str, changes: list[tuple[str, str, str]] | None = None) -> None:
        """Keep what changed meanwhile for the screen to show."""
        super().__init__(message)
        self.changes = changes or []


class IllegalTransition(Conflict):
    """The transition table has no such step from the present state."""
