"""Approvals: business types, positions, versioned flows with their nodes, running instances and their tasks (A1-A6)."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, relationship

from models.base import columns as c
from models.base.entity import Config, Entity, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind

if TYPE_CHECKING:
    from models.guarantee.product import Product
    from models.guarantee.project import Project
    from models.system.organization import Department, Employee
    from models.system.records import Attachment


class FlowState(Kind):
    """Life of one version of a flow; nodes change in drafts alone."""

    DRAFT = "草稿"
    PUBLISHED = "已发布"
    RETIRED = "已停用"


class FlowCustomerKind(Kind):
    """Kind of customer that a flow is meant for."""

    PERSONAL = "个人客户"
    CORPORATE = "对公客户"


class NodeChooser(Kind):
    """Who is asked at a node."""

    POSITION = "审批岗位"
    ROLE = "角色"
    MANAGER = "申请人部门负责人"


class NodeMode(Kind):
    """How the decisions of one node add up."""

    ANY = "任一"
    ALL = "会签"
    IN_TURN = "依次会签"
    VOTE = "票决"


class BranchKind(Kind):
    """Which branches of a fork are taken: of alternatives the first that holds, in parallel each that holds."""

    CONDITION = "条件分支"
    PARALLEL = "并行分支"


class Repeats(Kind):
    """What becomes of somebody who has agreed at an earlier node of the same approval."""

    ASK = "每个节点都要审批"
    SPARE = "已同意过的自动通过"


class SignatureRule(Kind):
    """Whether who decides at a node signs by hand (A11)."""

    NONE = "不需要"
    OPTIONAL = "可选"
    REQUIRED = "必须"


class ApprovalState(Kind):
    """State of one approval; RETURNED lies with the applicant, who submits anew, as after one that LAPSED."""

    RUNNING = "审批中"
    APPROVED = "已通过"
    REJECTED = "已否决"
    RETURNED = "已退回"
    WITHDRAWN = "已撤回"
    LAPSED = "已失效"


class TaskState(Kind):
    """State of one person's task; CANCELLED was settled without this person, and never looks like a decision."""

    PENDING = "待办"
    APPROVED = "同意"
    REJECTED = "否决"
    RETURNED = "退回"
    TRANSFERRED = "已转办"
    CANCELLED = "他人已办"
    WITHDRAWN = "申请已撤回"
    ENTRUSTED = "已委派"
    ADVISED = "已回复"
    REMOVED = "已减签"


class TaskOrigin(Kind):
    """How a person came by the task: added signers (加签) must agree, who was entrusted (委派) gives an opinion."""

    NODE = "流程节点"
    TRANSFER = "转办"
    ADDED = "加签"
    ENTRUST = "委派"


class ApprovalType(Entity):
    """A kind of business that needs approval; a new kind is a row, not code."""

    spec = Spec(
        "审批业务类型",
        Module.GUARANTEE_SETUP,
        title="label",
        listed=("label", "sort_no", "is_active", "remark", "code"),
        searched=("code", "label"),
        order="sort_no",
        key=("code",),
        rank=10,
        help="每种需要审批的业务对应一个业务类型；同一类型可按产品、金额、客户、部门配置多个审批流程。",
        config=Config(),
    )
    code: Mapped[str] = c.text("类型编码", 50, required=True, unique=True)
    label: Mapped[str] = c.text("类型名称", 50, required=True)
    sort_no: Mapped[int] = c.whole("排序", required=True, default=100)
    is_active: Mapped[bool] = c.flag("启用", default=True)
    remark: Mapped[str | None] = c.text("说明", 200)


class ApprovalPosition(Entity):
    """A position whose members approve (评估审批岗, 风控岗, 总裁 ...)."""

    spec = Spec(
        "审批岗位",
        Module.GUARANTEE_SETUP,
        title="label",
        listed=("label", "is_active", "remark", "code"),
        searched=("code", "label"),
        order="code",
        key=("code",),
        rank=20,
        help="先设岗位，再在“审批人员”页签中指定人员；流程节点引用岗位，人员变动无需改流程。",
        config=Config(),
    )
    code: Mapped[str] = c.text("岗位编码", 50, required=True, unique=True)
    label: Mapped[str] = c.text("岗位名称", 50, required=True)
    is_active: Mapped[bool] = c.flag("启用", default=True)
    remark: Mapped[str | None] = c.text("说明", 200)


class ApprovalPositionMember(Entity):
    """A person holding a position, for all departments or for one department and those below it."""

    __table_args__ = (
        UniqueConstraint(
            "position_id", "employee_id", "department_id", name="uq_approval_position_member"
        ),
        # NULL differs from NULL in a unique key: whoever serves all departments needs a key of their own.
        Index(
            "uq_approval_position_member_all",
            "position_id",
            "employee_id",
            unique=True,
            sqlite_where=text("department_id IS NULL"),
            postgresql_where=text("department_id IS NULL"),
        ),
    )
    spec = Spec(
        "审批人员",
        Module.GUARANTEE_SETUP,
        title="employee",
        listed=("position", "employee", "department", "sort_no"),
        filtered=("position_id", "employee_id", "department_id"),
        key=("position_id", "employee_id", "department_id"),
        in_menu=False,
    )
    position_id: Mapped[int] = c.owned_by("审批岗位", "approval_position")
    employee_id: Mapped[int] = c.reference("审批人员", "employee", required=True)
    department_id: Mapped[int | None] = c.reference(
        "负责部门",
        "department",
        help="留空表示对所有部门的申请有效；填写后只审批该部门及其下级部门的申请",
    )
    sort_no: Mapped[int] = c.whole(
        "顺序", required=True, default=100, minimum=1, maximum=999, help="依次会签时由小到大"
    )
    position: Mapped["ApprovalPosition"] = c.related(position_id)
    employee: Mapped["Employee"] = c.related(employee_id)
    department: Mapped["Department | None"] = c.related(department_id)


class ApprovalFlow(Entity):
    """One version of a flow: its conditions choose it, its nodes say who decides; published versions never change."""

    __table_args__ = (
        UniqueConstraint("code", "version_no", name="uq_approval_flow_code_version"),
        CheckConstraint(
            "amount_from IS NULL OR amount_to IS NULL OR amount_from < amount_to",
            name="ck_approval_flow_amounts",
        ),
        CheckConstraint(
            "(state = 'DRAFT') = (published_on IS NULL)", name="ck_approval_flow_published"
        ),
        Index("ix_approval_flow_choice", "business_type_id", "state"),
        Index(
            "uq_approval_flow_published",
            "code",
            unique=True,
            sqlite_where=text("state = 'PUBLISHED'"),
            postgresql_where=text("state = 'PUBLISHED'"),
        ),
    )
    spec = Spec(
        "审批流程",
        Module.GUARANTEE_SETUP,
        kind=SpecKind.DOCUMENT,
        listed=(
            "name",
            "version_no",
            "business_type",
            "product",
            "amount_from",
            "amount_to",
            "customer_kind",
            "department",
            "priority",
            "state",
            "code",
        ),
        searched=("code", "name"),
        filtered=("business_type_id", "state", "product_id"),
        order="code",
        key=("code", "version_no"),
        state="state",
        drafts=(FlowState.DRAFT,),
        rank=30,
        help="提交时按产品、金额、客户类型、部门、风险等级自动选择流程：优先级高的先选，同级时条件最具体的先选。"
        "已发布的版本不能修改，需复制为新版本后再发布；审批中的业务仍按提交时的版本走完。",
        config=Config(of=("code",), in_force=(FlowState.PUBLISHED,)),
    )
    code: Mapped[str] = c.text("流程编码", 50, required=True)
    version_no: Mapped[int] = c.computed(c.whole("版本号", required=True, default=1, minimum=1))
    name: Mapped[str] = c.text("流程名称", 100, required=True)
    business_type_id: Mapped[int] = c.reference(
        "业务类型", "approval_type", required=True, part=c.Part()
    )
    business_type: Mapped["ApprovalType"] = c.related(business_type_id)
    state: Mapped[FlowState] = c.state("状态", FlowState, FlowState.DRAFT)
    published_on: Mapped[date | None] = c.computed(c.day("发布日期"))
    product_id: Mapped[int | None] = c.reference(
        "产品", "product", group="适用条件", help="留空表示不限", part=c.Part(50)
    )
    product: Mapped["Product | None"] = c.related(product_id)
    amount_from: Mapped[Decimal | None] = c.money(
        "金额下限（含）", group="适用条件", help="留空表示不限"
    )
    amount_to: Mapped[Decimal | None] = c.money(
        "金额上限（不含）", group="适用条件", help="留空表示不限"
    )
    customer_kind: Mapped[FlowCustomerKind | None] = c.enum(
        "客户类型", FlowCustomerKind, group="适用条件", help="留空表示不限"
    )
    department_id: Mapped[int | None] = c.reference(
        "申请部门", "department", group="适用条件", help="包含其下级部门；留空表示不限"
    )
    department: Mapped["Department | None"] = c.related(department_id)
    risk_grade: Mapped[str | None] = c.dictionary(
        "风险等级", "risk_grade", group="适用条件", help="留空表示不限"
    )
    condition: Mapped[str | None] = c.condition(
        "适用规则",
        of="approval_request",
        group="适用条件",
        help="上面说不清的条件写成规则，如 金额 > 500万 且 产品的产品名称 包含 “债券”；与上面的条件同时满足才适用",
    )
    priority: Mapped[int] = c.whole("优先级", required=True, default=0, help="数字大的优先")
    repeats: Mapped[Repeats] = c.enum(
        "同一人再次审批",
        Repeats,
        required=True,
        default=Repeats.ASK,
        help="同一人在前面的节点已同意，到后面的节点时再次审批，还是按其同意自动通过；票决总是由本人表决",
    )
    copy_position_id: Mapped[int | None] = c.reference(
        "提交时抄送", "approval_position", help="提交后即抄送这个岗位的人员；只可查看，不办理"
    )
    copy_position: Mapped["ApprovalPosition | None"] = c.related(copy_position_id)
    remark: Mapped[str | None] = c.long_text("说明")
    nodes: Mapped[list["ApprovalNode"]] = relationship(
        back_populates="flow",
        order_by="ApprovalNode.seq",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    branches: Mapped[list["ApprovalBranch"]] = relationship(
        back_populates="flow",
        order_by="ApprovalBranch.no",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    examples: Mapped[list["ApprovalExample"]] = relationship(
        back_populates="flow",
        order_by="ApprovalExample.title",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )


class ApprovalBranch(Entity):
    """One way of a fork: nodes name it, all ways of a fork meet again after their last node (A9)."""

    __table_args__ = (
        UniqueConstraint("flow_id", "no", name="uq_approval_branch_flow_no"),
        CheckConstraint("inside_no IS NULL OR inside_no <> no", name="ck_approval_branch_inside"),
    )
    spec = Spec(
        "流程分支",
        Module.GUARANTEE_SETUP,
        kind=SpecKind.DOCUMENT,
        listed=("no", "name", "fork_no", "kind", "condition", "inside_no"),
        filtered=("flow_id",),
        order="no",
        key=("flow_id", "no"),
        scope=Scope(through="flow"),
        in_menu=False,
    )
    flow_id: Mapped[int] = c.owned_by("审批流程", "approval_flow")
    flow: Mapped["ApprovalFlow"] = c.related(flow_id, back_populates="branches")
    no: Mapped[int] = c.whole("分支号", required=True, minimum=1, maximum=999)
    name: Mapped[str] = c.text("分支名称", 50, required=True)
    fork_no: Mapped[int] = c.whole(
        "分支组", required=True, minimum=1, maximum=999, help="同组的分支从同一处分开，在同一处汇合"
    )
    kind: Mapped[BranchKind] = c.enum(
        "分支方式", BranchKind, required=True, default=BranchKind.CONDITION
    )
    condition: Mapped[str | None] = c.condition(
        "进入条件",
        of="approval_request",
        help="条件分支按分支号由小到大，走第一个符合的；留空表示其余情况。并行分支留空表示总是走",
    )
    inside_no: Mapped[int | None] = c.whole(
        "所在分支", minimum=1, maximum=999, help="这一组分支在哪个分支之内；留空表示在主线上"
    )


class ApprovalNode(Entity):
    """A step of a flow: who is asked, how the decisions add up, up to which amount the step is the last one."""

    __table_args__ = (
        UniqueConstraint("flow_id", "seq", name="uq_approval_node_flow_seq"),
        CheckConstraint(
            "chooser <> 'POSITION' OR position_id IS NOT NULL", name="ck_approval_node_position"
        ),
        CheckConstraint("chooser <> 'ROLE' OR role_name IS NOT NULL", name="ck_approval_node_role"),
        CheckConstraint(
            "mode <> 'VOTE' OR (quorum_pct IS NOT NULL AND pass_pct IS NOT NULL)",
            name="ck_approval_node_vote",
        ),
    )
    spec = Spec(
        "流程节点",
        Module.GUARANTEE_SETUP,
        kind=SpecKind.DOCUMENT,
        listed=(
            "seq",
            "name",
            "chooser",
            "position",
            "role_name",
            "mode",
            "quorum_pct",
            "pass_pct",
            "approve_limit",
            "skip_below",
            "skip_when",
            "hours_limit",
            "branch_no",
        ),
        filtered=("flow_id", "position_id"),
        order="seq",
        key=("flow_id", "seq"),
        in_grid=(
            "seq",
            "name",
            "chooser",
            "position_id",
            "role_name",
            "mode",
            "quorum_pct",
            "pass_pct",
            "approve_limit",
            "skip_below",
            "skip_when",
            "branch_no",
            "hours_limit",
        ),
        scope=Scope(through="flow"),
        in_menu=False,
    )
    flow_id: Mapped[int] = c.owned_by("审批流程", "approval_flow")
    flow: Mapped["ApprovalFlow"] = c.related(flow_id, back_populates="nodes")
    seq: Mapped[int] = c.whole("顺序", required=True, minimum=1, maximum=999)
    name: Mapped[str] = c.text("节点名称", 50, required=True)
    chooser: Mapped[NodeChooser] = c.enum(
        "审批人来源", NodeChooser, required=True, default=NodeChooser.POSITION
    )
    position_id: Mapped[int | None] = c.reference(
        "审批岗位", "approval_position", help="审批人来源为“审批岗位”时必填"
    )
    position: Mapped["ApprovalPosition | None"] = c.related(position_id)
    role_name: Mapped[str | None] = c.text(
        "角色", 64, help="审批人来源为“角色”时必填，与角色名称一致"
    )
    mode: Mapped[NodeMode] = c.enum("审批方式", NodeMode, required=True, default=NodeMode.ANY)
    quorum_pct: Mapped[Decimal | None] = c.rate(
        "票决最低参与率", scale=2, help="票决时必填：参与表决人数占应表决人数的最低比例"
    )
    pass_pct: Mapped[Decimal | None] = c.rate(
        "票决通过率", scale=2, help="票决时必填：同意票占表决人数的最低比例"
    )
    approve_limit: Mapped[Decimal | None] = c.money(
        "审批限额", help="金额不超过此限额时，本节点通过即为终审；留空表示继续后续节点"
    )
    skip_below: Mapped[Decimal | None] = c.money(
        "免审金额", help="金额低于此数时跳过本节点；留空表示不跳过"
    )
    skip_when: Mapped[str | None] = c.condition(
        "跳过条件",
        of="approval_request",
        help="符合时跳过本节点，如 产品的产品名称 包含 “保函”；留空表示不跳过",
    )
    branch_no: Mapped[int | None] = c.whole(
        "节点所在分支", minimum=1, maximum=999, help="填分支号；留空表示在主线上"
    )
    hours_limit: Mapped[int | None] = c.whole(
        "办理时限",
        unit="工作小时",
        minimum=1,
        maximum=8760,
        help="按工作时间计算，超过后由审批人的上级督办",
    )
    shown_fields: Mapped[str | None] = c.text(
        "重点显示",
        300,
        group="本节点填写",
        help="业务单据的字段名称，用顿号隔开，如 建议担保金额、建议期限；在意见上方再次列出",
    )
    filled_fields: Mapped[str | None] = c.text(
        "可填字段",
        300,
        group="本节点填写",
        help="审批人在本节点可以修改的字段；只能是该业务允许审批人填写的字段和自定义字段",
    )
    required_fields: Mapped[str | None] = c.text(
        "必填字段", 300, group="本节点填写", help="同意时必须填写；已在这里的不必再写进上一项"
    )
    required_files: Mapped[str | None] = c.text(
        "必传附件", 300, group="本节点填写", help="要件类别的名称，如 合同扫描件；同意前必须已上传"
    )
    signature: Mapped[SignatureRule] = c.enum(
        "手写签名",
        SignatureRule,
        required=True,
        default=SignatureRule.NONE,
        group="本节点填写",
        help="同意、否决时在手机或电脑上手写，印在审批单上",
    )
    copy_position_id: Mapped[int | None] = c.reference(
        "抄送岗位", "approval_position", group="抄送", help="本节点通过后抄送；只可查看，不办理"
    )
    copy_position: Mapped["ApprovalPosition | None"] = c.related(copy_position_id)
    copy_employee_id: Mapped[int | None] = c.reference(
        "抄送人员", "employee", group="抄送", help="本节点通过后抄送；几个人时设一个岗位"
    )
    copy_employee: Mapped["Employee | None"] = c.related(copy_employee_id)


class ApprovalExample(Entity):
    """A submission and the way that it must take: asked when its flow is published (X15)."""

    __table_args__ = (UniqueConstraint("flow_id", "title", name="uq_approval_example_flow_title"),)
    spec = Spec(
        "流程样例",
        Module.GUARANTEE_SETUP,
        kind=SpecKind.DOCUMENT,
        title="title",
        listed=("title", "amount", "product", "customer_kind", "department", "expected"),
        filtered=("flow_id",),
        order="title",
        key=("flow_id", "title"),
        scope=Scope(through="flow"),
        in_menu=False,
    )
    flow_id: Mapped[int] = c.owned_by("审批流程", "approval_flow")
    flow: Mapped["ApprovalFlow"] = c.related(flow_id, back_populates="examples")
    title: Mapped[str] = c.text("样例名称", 60, required=True)
    amount: Mapped[Decimal | None] = c.money("金额")
    product_id: Mapped[int | None] = c.reference("产品", "product")
    product: Mapped["Product | None"] = c.related(product_id)
    customer_kind: Mapped[FlowCustomerKind | None] = c.enum("客户类型", FlowCustomerKind)
    department_id: Mapped[int | None] = c.reference("申请部门", "department")
    department: Mapped["Department | None"] = c.related(department_id)
    risk_grade: Mapped[str | None] = c.dictionary("风险等级", "risk_grade")
    expected: Mapped[str] = c.text(
        "应经过的节点",
        500,
        required=True,
        help="节点名称依次以 → 连接；不应适用本流程的填“不适用”",
    )


class ApprovalInstance(Entity):
    """One approval of one record, with the version of the flow and the facts it began with."""

    __table_args__ = (
        CheckConstraint(
            "(state = 'RUNNING') = (finished_at IS NULL)", name="ck_approval_instance_finished"
        ),
        CheckConstraint(
            "(state = 'RUNNING') = (current_node_seq IS NOT NULL)",
            name="ck_approval_instance_current_node",
        ),
        Index("ix_approval_instance_record", "table_name", "record_id"),
        # One record has at most one running approval of a type, whichever two clicks start it.
        Index(
            "uq_approval_instance_running",
            "business_type_id",
            "table_name",
            "record_id",
            unique=True,
            sqlite_where=text("state = 'RUNNING'"),
            postgresql_where=text("state = 'RUNNING'"),
        ),
    )
    spec = Spec(
        "审批单",
        Module.QUERY,
        kind=SpecKind.LEDGER,
        title="title",
        listed=(
            "title",
            "business_type",
            "amount",
            "applicant",
            "department",
            "state",
            "submitted_at",
            "finished_at",
        ),
        searched=("title",),
        filtered=(
            "business_type_id",
            "state",
            "applicant_id",
            "department_id",
            "project_id",
            "submitted_at",
        ),
        sums=("amount",),
        scope=Scope(owner="applicant_id", hangs_on=("table_name", "record_id")),
        state="state",
        group=MenuGroup.DECIDED,
        rank=40,
    )
    business_type_id: Mapped[int] = c.reference("业务类型", "approval_type", required=True)
    business_type: Mapped["ApprovalType"] = c.related(business_type_id)
    flow_id: Mapped[int] = c.reference("审批流程", "approval_flow", required=True)
    flow: Mapped["ApprovalFlow"] = c.related(flow_id)
    title: Mapped[str] = c.text("标题", 200, required=True)
    amount: Mapped[Decimal | None] = c.money("金额")
    state: Mapped[ApprovalState] = c.state("状态", ApprovalState, ApprovalState.RUNNING)
    current_node_seq: Mapped[int | None] = c.computed(c.whole("当前节点"))
    round_no: Mapped[int] = c.computed(c.whole("轮次", required=True, default=1, minimum=1))
    applicant_id: Mapped[int] = c.reference("申请人", "employee", required=True)
    applicant: Mapped["Employee"] = c.related(applicant_id)
    department_id: Mapped[int | None] = c.reference("申请部门", "department")
    department: Mapped["Department | None"] = c.related(department_id)
    project_id: Mapped[int | None] = c.reference("担保项目", "project")
    project: Mapped["Project | None"] = c.related(project_id)
    submitted_at: Mapped[datetime] = c.moment("提交时间", required=True, index=True)
    finished_at: Mapped[datetime | None] = c.moment("办结时间")
    # The node that sent it back and to which it comes straight back, past those that have agreed.
    resume_seq: Mapped[int | None] = c.computed(c.whole("退回后直达节点"))
    # Nodes that have passed and were not asked anew since; None of an approval from before there were branches.
    passed: Mapped[list[int] | None] = c.hidden(c.json("已通过的节点", default=lambda: None))
    end_reason: Mapped[str | None] = c.computed(c.text("终止原因", 500))
    table_name: Mapped[str] = c.hidden(c.text("业务表", 64, required=True))
    record_id: Mapped[int] = c.hidden(c.whole("业务记录", required=True))
    facts: Mapped[dict[str, Any]] = c.hidden(c.json("提交时的要素", required=True))
    tasks: Mapped[list["ApprovalTask"]] = relationship(
        back_populates="instance", order_by="ApprovalTask.id"
    )


# Tasks that wait or have been decided: what a node adds up.
COUNTED_STATES: Final = (
    TaskState.PENDING,
    TaskState.APPROVED,
    TaskState.REJECTED,
    TaskState.RETURNED,
)
COUNTED_TASK: Final = "state IN ('PENDING', 'APPROVED', 'REJECTED', 'RETURNED')"


class ApprovalTask(Entity):
    """What one person is asked to decide at one node in one round; decided exactly once."""

    __table_args__ = (
        # Nobody is asked twice; who handed the task on, or was no longer needed, may be asked again.
        Index(
            "uq_approval_task_counted",
            "instance_id",
            "node_id",
            "round_no",
            "assignee_id",
            unique=True,
            sqlite_where=text(COUNTED_TASK),
            postgresql_where=text(COUNTED_TASK),
        ),
        CheckConstraint(
            "(state = 'PENDING') = (decided_at IS NULL)", name="ck_approval_task_decided_at"
        ),
        CheckConstraint(
            "state IN ('PENDING', 'CANCELLED', 'WITHDRAWN') OR decided_by_id IS NOT NULL OR is_automatic",
            name="ck_approval_task_decided_by",
        ),
        CheckConstraint(
            "state NOT IN ('REJECTED', 'RETURNED') OR (opinion IS NOT NULL AND opinion <> '')",
            name="ck_approval_task_opinion",
        ),
        Index("ix_approval_task_inbox", "assignee_id", "state"),
        Index("ix_approval_task_due", "state", "due_at"),
    )
    spec = Spec(
        "审批任务",
        Module.WORKBENCH,
        kind=SpecKind.LEDGER,
        title="instance",
        listed=(
            "instance",
            "node",
            "assignee",
            "state",
            "opinion",
            "decided_by",
            "decided_at",
            "due_at",
        ),
        filtered=("instance_id", "assignee_id", "state", "due_at"),
        scope=Scope(through="instance"),
        state="state",
        in_menu=False,
    )
    instance_id: Mapped[int] = c.owned_by("审批单", "approval_instance")
    instance: Mapped["ApprovalInstance"] = c.related(instance_id, back_populates="tasks")
    node_id: Mapped[int] = c.reference("流程节点", "approval_node", required=True)
    node: Mapped["ApprovalNode"] = c.related(node_id)
    round_no: Mapped[int] = c.computed(c.whole("轮次", required=True, default=1, minimum=1))
    origin: Mapped[TaskOrigin] = c.enum("来源", TaskOrigin, required=True, default=TaskOrigin.NODE)
    assignee_id: Mapped[int] = c.reference("审批人", "employee", required=True)
    assignee: Mapped["Employee"] = c.related(assignee_id)
    state: Mapped[TaskState] = c.state("办理结果", TaskState, TaskState.PENDING)
    opinion: Mapped[str | None] = c.long_text("审批意见")
    decided_by_id: Mapped[int | None] = c.reference("办理人", "employee")
    decided_by: Mapped["Employee | None"] = c.related(decided_by_id)
    on_behalf_of_id: Mapped[int | None] = c.reference("代谁办理", "employee")
    on_behalf_of: Mapped["Employee | None"] = c.related(on_behalf_of_id)
    asked_by_id: Mapped[int | None] = c.reference("由谁加签或委派", "employee")
    asked_by: Mapped["Employee | None"] = c.related(asked_by_id)
    is_automatic: Mapped[bool] = c.flag("系统办理")
    decided_at: Mapped[datetime | None] = c.moment("办理时间")
    due_at: Mapped[datetime | None] = c.moment("办理期限", help="超过期限后提醒并升级")
    urged_at: Mapped[datetime | None] = c.moment("催办时间")
    escalated_at: Mapped[datetime | None] = c.moment("逾期升级时间")
    escalated_to_id: Mapped[int | None] = c.reference("督办人", "employee")
    escalated_to: Mapped["Employee | None"] = c.related(escalated_to_id)
    # What was filled in with the decision (A10): field -> [before, after], and what was signed with (A11).
    filled: Mapped[dict[str, Any]] = c.hidden(c.json("本节点填写"))
    signature_id: Mapped[int | None] = c.computed(c.reference("手写签名", "attachment"))
    signature: Mapped["Attachment | None"] = c.related(signature_id)
