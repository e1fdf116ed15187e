"""Who shares risks with the company or with each other: 担保公司 and 联保体 (3.5 担保资料)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module
from models.base.rights import WRITE
from models.customer.customer import Customer
from models.system.organization import Department, Employee


class PartnerRole(Kind):
    """What another guarantee company does with ours."""

    CO_GUARANTEE = "联合担保"
    RE_GUARANTEE = "再担保"


class PartnerStatus(Kind):
    """Whether the cooperation runs."""

    ACTIVE = "合作中"
    SUSPENDED = "暂停合作"
    CLOSED = "已终止"


class GuaranteeCompany(Entity):
    """Another guarantee company that guarantees beside us or re-guarantees what we guarantee."""

    spec = Spec(
        "担保公司",
        Module.CUSTOMER,
        group=MenuGroup.MATERIALS,
        roles={"系统管理员": WRITE},
        listed=(
            "name",
            "uscc",
            "role",
            "share_pct",
            "fee_share_pct",
            "credit_line",
            "agreement_to",
            "status",
        ),
        searched=("name", "uscc"),
        filtered=("role", "status", "agreement_to"),
        order="name",
        key=("uscc",),
        rank=70,
        demo=(
            {
                "name": "江州信用再担保有限公司",
                "uscc": "91320100MA1MU7RE3X",
                "role": "RE_GUARANTEE",
                "share_pct": "40",
                "fee_share_pct": "20",
                "contact": "再担保部",
                "agreement_from": "+0",
                "agreement_to": "+730",
            },
            {
                "name": "滨江融资担保有限公司",
                "uscc": "91320100MA1P0CQT2R",
                "role": "CO_GUARANTEE",
                "share_pct": "50",
                "fee_share_pct": "50",
                "contact": "业务部",
                "agreement_from": "+0",
                "agreement_to": "+730",
            },
        ),
    )
    __table_args__ = (
        UniqueConstraint("uscc", name="uq_guarantee_company_uscc"),
        CheckConstraint(
            "agreement_from IS NULL OR agreement_to IS NULL OR agreement_to >= agreement_from",
            name="ck_guarantee_company_agreement",
        ),
    )

    name: Mapped[str] = c.text("公司名称", 100, required=True, index=True)
    uscc: Mapped[str] = c.text("统一社会信用代码", 18, check="uscc", required=True)
    role: Mapped[PartnerRole] = c.enum("合作方式", PartnerRole, required=True, index=True)
    share_pct: Mapped[Decimal] = c.rate(
        "分担比例", scale=4, required=True, help="代偿与追偿按此比例分担"
    )
    fee_share_pct: Mapped[Decimal] = c.rate(
        "保费分成比例", scale=4, required=True, default=Decimal(0)
    )
    credit_line: Mapped[Decimal | None] = c.money("合作额度", help="留空表示不设额度")
    agreement_no: Mapped[str | None] = c.text("合作协议编号", 60)
    agreement_from: Mapped[date | None] = c.day("协议起始日")
    agreement_to: Mapped[date | None] = c.day("协议到期日", index=True)
    contact: Mapped[str | None] = c.text("联系人", 50)
    phone: Mapped[str | None] = c.text("联系电话", 30, check="phone")
    status: Mapped[PartnerStatus] = c.enum(
        "合作状态", PartnerStatus, required=True, default=PartnerStatus.ACTIVE, index=True
    )
    note: Mapped[str | None] = c.text("备注", 300)


class JointGroup(Entity):
    """联保体: customers who stand in for each other, with a cap for the group and for each member."""

    spec = Spec(
        "联保体",
        Module.CUSTOMER,
        group=MenuGroup.MATERIALS,
        listed=("code", "name", "credit_line", "member_limit", "agreement_to", "manager", "status"),
        searched=("code", "name"),
        filtered=("status", "agreement_to", "manager_id"),
        order="code",
        key=("code",),
        scope=Scope(owner="manager_id", department="department_id"),
        rank=80,
    )
    __table_args__ = (UniqueConstraint("code", name="uq_joint_group_code"),)

    code: Mapped[str] = c.text("联保体编号", 20, required=True, check="code")
    name: Mapped[str] = c.text("联保体名称", 100, required=True)
    credit_line: Mapped[Decimal] = c.money("联保总额度", required=True, positive=True)
    member_limit: Mapped[Decimal | None] = c.money("单户上限", help="成员自己的上限优先")
    agreement_no: Mapped[str | None] = c.text("联保协议编号", 60)
    agreement_from: Mapped[date | None] = c.day("协议起始日")
    agreement_to: Mapped[date | None] = c.day("协议到期日", index=True)
    manager_id: Mapped[int | None] = c.reference("客户经理", "employee")
    manager: Mapped[Employee | None] = c.related(manager_id)
    department_id: Mapped[int | None] = c.reference("所属部门", "department")
    department: Mapped[Department | None] = c.related(department_id)
    status: Mapped[PartnerStatus] = c.enum(
        "状态", PartnerStatus, required=True, default=PartnerStatus.ACTIVE, index=True
    )


class JointGroupMember(Entity):
    """A customer in a joint-guarantee group."""

    spec = Spec(
        "联保成员",
        Module.CUSTOMER,
        title="customer_id",
        listed=("joint_group", "customer", "limit_amount", "joined_on", "left_on"),
        key=("joint_group_id", "customer_id"),
        scope=Scope(through="joint_group"),
        in_menu=False,
    )
    __table_args__ = (
        UniqueConstraint("joint_group_id", "customer_id", name="uq_joint_group_member_customer"),
        CheckConstraint(
            "left_on IS NULL OR joined_on IS NULL OR left_on >= joined_on",
            name="ck_joint_group_member_dates",
        ),
    )

    joint_group_id: Mapped[int] = c.owned_by("联保体", "joint_group")
    joint_group: Mapped[JointGroup] = c.related(joint_group_id)
    customer_id: Mapped[int] = c.reference("成员客户", "customer", required=True)
    customer: Mapped[Customer] = c.related(customer_id)
    limit_amount: Mapped[Decimal | None] = c.money("单户上限")
    joined_on: Mapped[date | None] = c.day("加入日期")
    left_on: Mapped[date | None] = c.day("退出日期")
