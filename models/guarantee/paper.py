"""A paper of a project: read and written by whoever may read and write the project."""

from typing import ClassVar

from sqlalchemy.orm import Mapped, declared_attr

from models.base import columns as c
from models.base.paper import FIRST, Paper, at
from models.guarantee.project import Project


class ProjectPaper(Paper):
    """A numbered paper with the project that it is about.

    `part` says how papers of this kind stand on the project's page, `is_single` that a project has one at most,
    `is_step` that the next step of the project's stage leads to its drafts: 待办 does not name them once more.
    """

    __abstract__ = True
    part: ClassVar[c.Part | None] = None
    is_single: ClassVar[bool] = False
    is_step: ClassVar[bool] = False

    @declared_attr
    def project_id(cls) -> Mapped[int]:  # noqa: N805
        """Whose it is: right and scope of the project are those of the paper."""
        found = c.reference(
            "担保项目", "project", required=True, unique=cls.is_single, part=cls.part
        )
        return at(FIRST + 1, found)

    @declared_attr
    def project(cls) -> Mapped[Project]:  # noqa: N805
        """The project that it is about."""
        return c.related()
