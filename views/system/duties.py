"""待办与岗位 of a person (A8): what must be handed over before leaving, with the link to where it is done."""

from models.approval.approval import ApprovalTask
from models.system.organization import Employee
from reports.figures import duties
from views.kit.pages import Cell, Fact, Section
from workflows.base.context import Ctx


def reassign_url(task: ApprovalTask, back: str) -> str:
    """改派 of a task, and back to where it was asked for."""
    return f"/approvals/{task.id}/reassign?next={back}"


def duties_section(ctx: Ctx, employee: Employee, back: str) -> Section:
    """待办与岗位 beside an employee or an operator: what must be handed over before leaving."""
    found = duties.duties_of(ctx.session, employee.id)
    may = ctx.actor.may("reassign", "approval_task")
    facts = [Fact("唯一可用人员", Cell(words)) for words in found.sole]
    url = f"/employee/{employee.id}/hand-over"
    held = {"未结束的担保项目": found.projects, "管理的客户": found.customers}
    facts += [Fact(label, Cell(f"{n} 个", "link", url=url)) for label, n in held.items() if n]
    if found.borrowed:
        facts.append(Fact("借阅未还的档案", Cell(f"{found.borrowed} 份")))
    for task in found.tasks:
        label = f"{task.instance.business_type.label} · {task.node.name}"
        facts.append(
            Fact(label, Cell("改派", "link", url=reassign_url(task, back)) if may else Cell("待办"))
        )
    return Section(
        "duties",
        "待办审批、岗位与项目",
        template="parts/pairs.html",
        data=facts,
        count=len(facts),
        empty="没有待办审批、未结束的项目和客户，也不是任何岗位的唯一人员",
    )
