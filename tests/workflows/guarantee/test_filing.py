"""4.11: conditions after the drawdown with owner and day, seals by request, the file lent and taken back."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models.after.warning import RiskWarning, WarningState
from models.base.errors import Conflict, FieldErrors, NotAllowed
from models.base.paper import PaperState
from models.guarantee.archive import ArchiveItem, ArchiveLoan, ArchiveState
from models.guarantee.follow_up import FollowUp, FollowUpState
from models.guarantee.project import ProjectState, Stage
from models.guarantee.seal import SealEntry, SealRequest
from reports.workbench.todo import steps_of, todos, waiting
from reports.workbench.todo_source import TodoKind
from tests.workflows.guarantee.factories import ACCOUNTANT, LEGAL, MANAGER, OUTSIDER
from workflows.after import follow_up as _warnings  # noqa: F401 - its check is looked at by rule
from workflows.after import warning
from workflows.base import records
from workflows.guarantee import archive, follow_up, seal, stages

STAGES = (Stage.COUNTER, Stage.IN_FORCE)


def condition(line, **facts):
    project = line.at(Stage.IN_FORCE)
    said = {
        "text": "取得他项权证",
        "owner_id": line.id(MANAGER),
        "due_on": line.today + timedelta(10),
    }
    return records.create(line.ctx(MANAGER), FollowUp, {"project_id": project.id, **said, **facts})


def waits(line, who, kind):
    ctx = line.ctx(who)
    found = todos(line.session, ctx.actor, waiting(line.session, ctx.actor, ctx.now, ctx.today))
    return [one.record_id for one in found if one.kind is kind]


def warned(line):
    query = select(RiskWarning).where(RiskWarning.record_table == "follow_up")
    return list(line.session.scalars(query.order_by(RiskWarning.id)))


def test_a_condition_waits_for_whoever_it_names_and_warns_as_its_day_comes(line):
    item = condition(line)
    assert waits(line, MANAGER, TodoKind.FOLLOW_UP) == [item.id]
    told = steps_of(line.session, item.project, line.today)
    (step,) = [one for one in told if one.kind is TodoKind.FOLLOW_UP]
    assert (step.number, [one.actor.name for one in step.people]) == ("取得他项权证", [MANAGER])
    warning.evaluate(line.ctx())
    line.later(days=12)
    warning.evaluate(line.ctx())
    first, second = warned(line)
    assert (first.state, second.state) == (WarningState.LIFTED, WarningState.PENDING)
    assert "剩余 10 天" in first.message
    assert second.message.endswith(f"由{MANAGER}落实，已逾期 2 天")
    follow_up.meet(line.ctx(MANAGER), item, "他项权证已入库", item.version)
    assert (item.state, item.done_on) == (FollowUpState.DONE, line.today)
    assert waits(line, MANAGER, TodoKind.FOLLOW_UP) == []
    warning.evaluate(line.ctx())
    assert second.state is WarningState.LIFTED


def test_a_condition_names_somebody_who_can_meet_it_and_a_day_to_come(line):
    with pytest.raises(FieldErrors, match="不能查看本项目或没有登记落实的权限"):
        condition(line, owner_id=line.id(OUTSIDER))
    with pytest.raises(FieldErrors, match="不能早于营业日期"):
        condition(line, due_on=line.today - timedelta(1))


def test_what_is_open_ends_with_its_project(line):
    item = condition(line)
    stages.ended(line.ctx(), item.project, "项目已解保")
    assert item.state is FollowUpState.LAPSED
    item.project.state = ProjectState.RELEASED
    with pytest.raises(Conflict, match="不能登记放款后条件"):
        condition(line)


def test_a_seal_is_set_once_after_approval_and_the_book_has_its_line(line):
    project = line.at(Stage.COUNTER)
    facts = {"seal": "CONTRACT", "subject": "反担保合同", "copies": 3, "reason": "签约"}
    request = records.create(line.ctx(MANAGER), SealRequest, {"project_id": project.id, **facts})
    with pytest.raises(Conflict, match="现在不能用印"):
        seal.stamp(line.ctx(LEGAL), request, "王磊")
    seal.PAPER.submit(line.ctx(MANAGER), request)
    line.approve(request)
    assert request.state is PaperState.APPROVED
    assert waits(line, LEGAL, TodoKind.SEAL) == [request.id]
    with pytest.raises(NotAllowed):
        seal.stamp(line.ctx(MANAGER), request, "王磊")
    entry = seal.stamp(line.ctx(LEGAL), request, "王磊", request.version)
    assert (entry.seal, entry.copies, entry.sealed_on) == ("CONTRACT", 3, line.today)
    assert waits(line, LEGAL, TodoKind.SEAL) == []
    with pytest.raises(Conflict, match="现在不能用印"):
        seal.stamp(line.ctx(LEGAL), request, "王磊")
    assert len(line.session.scalars(select(SealEntry)).all()) == 1


def test_a_piece_of_the_file_is_filed_lent_and_taken_back(line):
    project = line.at(Stage.IN_FORCE)
    facts = {"kind": "WARRANT", "name": "他项权证", "copies": 1}
    item = records.create(line.ctx(MANAGER), ArchiveItem, {"project_id": project.id, **facts})
    assert waits(line, LEGAL, TodoKind.FILE) == [item.id]
    with pytest.raises(NotAllowed):
        archive.file(line.ctx(ACCOUNTANT), item, "一号柜")
    archive.file(line.ctx(LEGAL), item, "一号柜", item.version)
    person = line.people[MANAGER]
    with pytest.raises(FieldErrors):
        archive.lend(line.ctx(LEGAL), item, person, "续押", line.today - timedelta(1))
    person.is_active = False
    with pytest.raises(FieldErrors) as gone:
        archive.lend(line.ctx(LEGAL), item, person, "续押", line.today)
    assert set(gone.value.field_errors) == {"borrower_id"}
    person.is_active = True
    loan = archive.lend(line.ctx(LEGAL), item, person, "续押", line.today + timedelta(7))
    assert (item.state, waits(line, LEGAL, TodoKind.TAKE_BACK)) == (ArchiveState.LENT, [])
    assert item.borrower_id == person.id
    line.later(days=7)
    assert waits(line, LEGAL, TodoKind.TAKE_BACK) == [item.id]
    assert archive.give_back(line.ctx(LEGAL), item) is loan
    assert (item.state, item.borrower_id) == (ArchiveState.FILED, None)
    assert loan.returned_on == line.today
    again = archive.lend(line.ctx(LEGAL), item, person, "再借", line.today)
    assert archive.give_back(line.ctx(LEGAL), item) is again
    assert len(line.session.scalars(select(ArchiveLoan)).all()) == 2
