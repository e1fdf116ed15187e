"""开业准备: what a new installation needs before its first project, each answered from the data itself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from models.approval.approval import (
    ApprovalFlow,
    ApprovalNode,
    ApprovalPosition,
    ApprovalPositionMember,
    ApprovalType,
    FlowState,
)
from models.base.fields import facts_of
from models.base.money import format_money
from models.guarantee.bank import PartnerBank
from models.guarantee.product import Product
from models.ledger.account import Account
from models.ledger.closing import OpeningImport
from models.ledger.voucher import Voucher, VoucherWord
from models.system.organization import Company, Department, Employee, Operator
from models.system.setup import JobRun, JobStatus
from reports.figures import rights
from reports.figures.net_assets import net_assets
from reports.figures.parameters import flag

# What the first project meets on its way, by whom: permission and what it is called.
DUTIES: Final = (
    (("grant", "operator"), "分配角色"),
    (("edit", "parameter"), "维护参数"),
    (("add", "partner_bank"), "新增合作银行"),
    (("submit", "project"), "提交担保申请"),
    (("submit", "risk_assessment"), "提交风险评估"),
    (("open", "review_meeting"), "召集审保会"),
    (("cast", "meeting_vote"), "表决"),
    (("collect", "receipt"), "收取费用"),
    (("book", "business_event"), "复核记账"),
    (("review", "voucher"), "审核凭证"),
    (("post", "voucher"), "记账"),
    (("close", "accounting_period"), "结账"),
    (("load", "opening_import"), "导入期初余额"),
)
BACKUP_DAYS: Final = 2
SHOWN: Final = 4


@dataclass(frozen=True)
class Step:
    """One thing to prepare: whether it is done, how it stands in words, where it is done and by whom."""

    label: str
    is_done: bool
    note: str
    url: str
    who: str
    may_be_later: bool = False


Answer = tuple[bool, str]


def steps(session: Session, today: date) -> list[Step]:
    """Every step in the order in which they are best taken."""
    found = []
    for label, url, needed, question, may_be_later in _STEPS:
        is_done, note = question(session, today)
        who = rights.whom_to_ask(session, *needed).removeprefix("可联系：")
        found.append(Step(label, is_done, note, url, who, may_be_later))
    return found


def is_prepared(session: Session, today: date) -> bool:
    """Whether nothing is left to do but what may be done later."""
    return all(may_be_later or question(session, today)[0] for *_, question, may_be_later in _STEPS)


def _company(session: Session, _: date) -> Answer:
    found = session.scalars(select(Company)).first()
    lacking = (
        []
        if found is None
        else [
            facts_of(Company.__table__.c[name]).label
            for name in ("legal_person", "address")
            if not getattr(found, name)
        ]
    )
    if found is None or lacking:
        return False, "请填写公司全称、" + "、".join(
            lacking or ["法定代表人"]
        ) + "等，函件与报表据此印出"
    return True, found.full_name


def _counted(
    query: Select[Any], unit: str, least: int = 1, lacking: str = ""
) -> Callable[[Session, date], Answer]:
    def question(session: Session, _: date) -> Answer:
        count = session.scalar(query) or 0
        return count >= least, f"{count} {unit}" if count >= least or not lacking else lacking

    return question


def _duties(session: Session, _: date) -> Answer:
    held = rights.held(session)
    lacking = [label for needed, label in DUTIES if needed not in held]
    if lacking:
        return False, f"还没有人可以：{_some(lacking)}"
    count = session.scalar(select(func.count(Operator.id)).where(Operator.is_disabled.is_(False)))
    return True, f"{count} 名操作员，各环节都有人"


def _positions(session: Session, _: date) -> Answer:
    staffed = exists().where(
        ApprovalPositionMember.position_id == ApprovalPosition.id,
        ApprovalPositionMember.employee_id == Employee.id,
        Employee.is_active,
    )
    asked = exists().where(
        ApprovalNode.position_id == ApprovalPosition.id,
        ApprovalNode.flow_id == ApprovalFlow.id,
        ApprovalFlow.state == FlowState.PUBLISHED,
    )
    query = select(ApprovalPosition.label).where(asked, ApprovalPosition.is_active, ~staffed)
    lacking = list(session.scalars(query.order_by(ApprovalPosition.id)))
    return not lacking, f"还没有人员：{_some(lacking)}" if lacking else "流程用到的岗位都有人员"


def _flows(session: Session, _: date) -> Answer:
    published = exists().where(
        ApprovalFlow.business_type_id == ApprovalType.id, ApprovalFlow.state == FlowState.PUBLISHED
    )
    query = (
        select(ApprovalType.label)
        .where(ApprovalType.is_active, ~published)
        .order_by(ApprovalType.sort_no)
    )
    lacking = list(session.scalars(query))
    if lacking:
        return False, f"没有已发布的流程：{_some(lacking)}"
    return True, "每类审批都有已发布的流程，请核对节点与金额"


def _assets(session: Session, today: date) -> Answer:
    found = net_assets(session, today)
    if found <= 0:
        return False, "净资产为 0，限额无法计算：请导入期初余额，或填写参数“净资产（留空取总账）”"
    return True, f"净资产 {format_money(found)} 元"


def _opening(session: Session, _: date) -> Answer:
    if session.scalar(select(OpeningImport.id).limit(1)) is not None:
        return True, "已导入"
    has_vouchers = session.scalar(select(Voucher.id).limit(1)) is not None
    return (
        has_vouchers,
        "从零开始记账" if has_vouchers else "尚未导入；新设公司没有期初余额时，记入第一张凭证即可",
    )


def _backup(session: Session, today: date) -> Answer:
    query = select(func.max(JobRun.business_date)).where(
        JobRun.job.startswith("backup"), JobRun.status == JobStatus.SUCCEEDED
    )
    last = session.scalar(query)
    if last is None or last < today - timedelta(days=BACKUP_DAYS):
        return False, "还没有备份" if last is None else f"最近一次备份是 {last}"
    daily = "每日自动备份" if flag(session, "backup.is_daily", today) else "没有启用每日自动备份"
    return True, f"最近一次备份 {last}，{daily}"


def _some(names: list[str]) -> str:
    return "、".join(names[:SHOWN]) + (f" 等 {len(names)} 项" if len(names) > SHOWN else "")


def _count_of(column: Any, *where: Any) -> Select[Any]:
    return select(func.count(column)).where(*where)


# label, where, who may (verb, table), the question, whether business may begin before it is done
_STEPS: Final[
    tuple[tuple[str, str, tuple[str, str], Callable[[Session, date], Answer], bool], ...]
] = (
    ("公司资料", "/company/list/", ("edit", "company"), _company, False),
    (
        "部门",
        "/department/list/",
        ("add", "department"),
        _counted(
            _count_of(Department.id, Department.is_active),
            "个",
            2,
            "只有公司本部，请建立业务、风险、财务等部门",
        ),
        False,
    ),
    (
        "员工",
        "/employee/list/",
        ("add", "employee"),
        _counted(_count_of(Employee.id, Employee.is_active), "人", 2, "只有管理员本人，请登记员工"),
        False,
    ),
    ("操作员与角色", "/operator/list/", ("add", "operator"), _duties, False),
    ("审批岗位", "/approval_position/list/", ("edit", "approval_position"), _positions, False),
    ("审批流程", "/approval_flow/list/", ("publish", "approval_flow"), _flows, False),
    (
        "合作银行",
        "/partner_bank/list/",
        ("add", "partner_bank"),
        _counted(_count_of(PartnerBank.id), "家", 1, "还没有合作银行"),
        False,
    ),
    (
        "担保产品",
        "/product/list/",
        ("edit", "product"),
        _counted(_count_of(Product.id, Product.is_active), "个启用，请核对费率与要件"),
        False,
    ),
    (
        "会计科目",
        "/account/list/",
        ("edit", "account"),
        _counted(_count_of(Account.id), "个，请按本公司账套核对"),
        False,
    ),
    (
        "凭证字",
        "/voucher_word/list/",
        ("edit", "voucher_word"),
        _counted(_count_of(VoucherWord.id), "个"),
        False,
    ),
    ("期初余额", "/opening/", ("load", "opening_import"), _opening, True),
    ("净资产与参数", "/parameter/list/?q=净资产", ("edit", "parameter"), _assets, False),
    ("备份", "/day-end/", ("backup", "job_run"), _backup, True),
)
