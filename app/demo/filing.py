"""Conditions, seals, errands and the file of projects: what the demonstration shows of 4.11."""

from datetime import timedelta

from sqlalchemy import select

from app.demo.stage import Stage
from app.demo.story import decide_all
from models.guarantee.archive import ArchiveItem
from models.guarantee.follow_up import FollowUp
from models.guarantee.project import Project, ProjectState
from models.guarantee.project import Stage as Place
from models.guarantee.seal import SealRequest
from models.system.errand import Errand
from models.system.organization import Employee, Operator
from workflows.after import warning
from workflows.base import records
from workflows.guarantee import archive, seal

LEGAL = "liuwen"


def play(stage: Stage) -> None:
    """One request for a seal is approved and one is sealed; of a file one piece waits, one is filed, one is lent."""
    query = select(Project).where(
        Project.state == ProjectState.RUNNING, Project.stage == Place.COUNTER
    )
    for number, project in enumerate(
        stage.session.scalars(query.order_by(Project.id).limit(2)).all()
    ):
        login = _login(stage, project)
        values = {
            "project_id": project.id,
            "seal": "CONTRACT",
            "subject": "反担保合同",
            "copies": 3,
            "reason": "与反担保人签署抵押合同。",
        }
        request = records.create(stage.ctx(login), SealRequest, values)
        seal.PAPER.submit(stage.ctx(login), request, request.version)
        decide_all(stage, project)
        if number:
            seal.stamp(stage.ctx(LEGAL), request, "客户经理", request.version)
    running = select(Project).where(Project.state == ProjectState.IN_FORCE).order_by(Project.id)
    for found in stage.session.scalars(running.limit(1)).all():
        _file(stage, found)


def _file(stage: Stage, project: Project) -> None:
    for text, days in (("放款后一个月内取得房产他项权证原件", 10), ("提供本季度财务报表", 40)):
        values = {
            "project_id": project.id,
            "text": text,
            "owner_id": project.manager_id,
            "due_on": stage.today + timedelta(days=days),
        }
        records.create(stage.ctx(_login(stage, project)), FollowUp, values)
    warning.evaluate(stage.ctx())
    errand = {
        "what": "放款后现场走访，补拍厂区和存货照片",
        "doer_id": project.assistant_id,
        "due_on": stage.today + timedelta(days=3),
        "owner_table": str(project.__tablename__),
        "owner_id": project.id,
    }
    records.create(stage.ctx(_login(stage, project)), Errand, errand)
    pieces = [
        records.create(
            stage.ctx(_login(stage, project)),
            ArchiveItem,
            {"project_id": project.id, "kind": kind, "name": name, "copies": 1},
        )
        for kind, name in (
            ("MEETING", "公司决议"),
            ("CONTRACT", "保证合同"),
            ("WARRANT", "他项权证"),
        )
    ]
    for place, piece in enumerate(pieces[1:], 1):
        archive.file(stage.ctx(LEGAL), piece, f"一号柜-{place:02}", piece.version)
    borrower = stage.session.get_one(Employee, project.manager_id)
    due_on = stage.today + timedelta(days=7)
    archive.lend(stage.ctx(LEGAL), pieces[2], borrower, "办理续押", due_on, pieces[2].version)


def _login(stage: Stage, project: Project) -> str:
    query = select(Operator.username).where(Operator.employee_id == project.manager_id)
    return stage.session.scalars(query).one()
