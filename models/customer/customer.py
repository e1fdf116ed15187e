"""Customers, personal and corporate, and the watch list (3.1, 3.2, 3.4)."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from models.base import columns as c
from models.base.entity import SERIAL, Decides, Entity, Found, Scope, Spec
from models.base.fields import said
from models.base.kinds import Kind, Module, SpecKind
from models.customer.rating_model import CustomerKind, RatingModel
from models.system.organization import Department, Employee, Gender


class Grade(Kind):
    """Credit grade, best first."""

    AAA = "AAA"
    AA = "AA"
    A = "A"
    BBB = "BBB"
    BB = "BB"
    B = "B"
    CCC = "CCC"
    CC = "CC"
    C = "C"
    D = "D"


class CustomerStatus(Kind):
    """Whether business may be done under this record."""

    ACTIVE = "正常"
    CLOSED = "已停用"
    MERGED = "已合并"


class EnterpriseScale(Kind):
    """Size of an enterprise (中小企业划型标准); decides the regulatory weight."""

    LARGE = "大型企业"
    MEDIUM = "中型企业"
    SMALL = "小型企业"
    MICRO = "微型企业"


class WatchKind(Kind):
    """Lists that a customer may be put on (3.4)."""

    VIP = "VIP优质"
    POTENTIAL = "潜在客户"
    BLACKLIST = "黑名单"


class WatchState(Kind):
    """Life of an entry; blacklist entries and removals are approved."""

    DRAFT = "草稿"
    IN_APPROVAL = "列入审批中"
    ACTIVE = "有效"
    REMOVAL_IN_APPROVAL = "移出审批中"
    CLOSED = "已移出"
    REFUSED = "未列入"


_TABS = (
    "project",
    "customer_rating",
    "customer_watch",
    "customer_relation",
    "bank_account",
    "litigation",
    "major_event",
)
_PERSONAL_TABS = ("occupation", "income_expense", "resume", "family_member", "shop", *_TABS)
_CORPORATE_TABS = (
    "shareholder",
    "executive",
    "financial_statement",
    "qualification",
    "external_guarantee",
    "tax_record",
    *_TABS,
)
# Entries that have not ended: a customer stands on each list at most once.
_OPEN = text("state NOT IN ('CLOSED', 'REFUSED')")
_SCOPE = Scope(owner="manager_id", department="department_id")


class Customer(Entity):
    """What personal and corporate customers have in common; made through its two kinds only."""

    spec = Spec(
        "客户",
        Module.CUSTOMER,
        found=Found(10),
        listed=(
            "number",
            "name",
            "kind",
            "contact_phone",
            "region",
            "grade",
            "watch",
            "manager",
            "department",
            "status",
        ),
        searched=("number", "name"),
        filtered=(
            "kind",
            "is_guarantee_customer",
            "is_credit_customer",
            "region",
            "grade",
            "watch",
            "is_blacklisted",
            "manager_id",
            "department_id",
            "status",
        ),
        key=("number",),
        scope=_SCOPE,
        saved_by=(),
        rank=5,
    )
    __table_args__: Any = (
        UniqueConstraint("number", name="uq_customer_number"),
        CheckConstraint(
            "grade IS NULL OR grade_valid_until IS NOT NULL", name="ck_customer_grade_valid_until"
        ),
        CheckConstraint(
            "status <> 'MERGED' OR merged_into_id IS NOT NULL", name="ck_customer_merged_into"
        ),
        CheckConstraint(
            "merged_into_id IS NULL OR merged_into_id <> id",
            name="ck_customer_not_merged_into_itself",
        ),
        Index("ix_customer_touched", "manager_id", "updated_at"),  # one's own, the latest first
    )

    kind: Mapped[CustomerKind] = c.computed(
        c.enum("客户类型", CustomerKind, required=True, index=True)
    )
    number: Mapped[str] = c.computed(c.text("客户编号", 40, required=True, group="基本信息"))
    name: Mapped[str] = c.text("客户名称", 100, required=True, index=True, group="基本信息")
    region: Mapped[str | None] = c.dictionary(
        "客户所属地区", "region", index=True, group="联系方式"
    )
    address: Mapped[str | None] = c.masked("通讯地址", 200, mask="address", group="联系方式")
    postcode: Mapped[str | None] = c.text("邮政编码", 6, check="postcode", group="联系方式")
    email: Mapped[str | None] = c.text("E-mail地址", 100, check="email", group="联系方式")
    contact_phone: Mapped[str | None] = c.computed(
        c.masked("联系方式", 30, mask="mobile", group="联系方式")
    )
    is_guarantee_customer: Mapped[bool] = c.flag(
        "担保客户", default=True, index=True, group="管理信息"
    )
    is_credit_customer: Mapped[bool] = c.flag("信贷客户", index=True, group="管理信息")
    is_own_controller: Mapped[bool] = c.flag(
        "本公司控股股东或实际控制人",
        group="管理信息",
        help="不得为其提供融资担保（监督管理条例第十七条）",
    )
    manager_id: Mapped[int | None] = c.reference(
        "客户经理", "employee", group="管理信息", help="留空时为登记人；所属部门随客户经理"
    )
    manager: Mapped[Employee | None] = c.related(manager_id)
    department_id: Mapped[int | None] = c.computed(
        c.reference("所属部门", "department", group="管理信息")
    )
    department: Mapped[Department | None] = c.related(department_id)
    rating_model_id: Mapped[int | None] = c.reference("评分模型", "rating_model", group="管理信息")
    rating_model: Mapped[RatingModel | None] = c.related(rating_model_id)
    grade: Mapped[Grade | None] = c.computed(
        c.enum("信用等级", Grade, index=True, group="评级授信")
    )
    grade_valid_until: Mapped[date | None] = c.computed(c.day("等级有效期至", group="评级授信"))
    credit_line: Mapped[Decimal | None] = c.computed(c.money("授信额度", group="评级授信"))
    watch: Mapped[WatchKind | None] = c.computed(
        c.enum("关注类别", WatchKind, index=True, group="评级授信")
    )
    is_blacklisted: Mapped[bool] = c.computed(c.flag("黑名单客户", index=True, group="评级授信"))
    status: Mapped[CustomerStatus] = c.state("客户状态", CustomerStatus, CustomerStatus.ACTIVE)
    merged_into_id: Mapped[int | None] = c.computed(c.reference("并入客户", "customer"))
    note: Mapped[str | None] = c.text("备注", 300, group="管理信息")

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy calls it on the class
        lock = {"version_id_col": cls.version} if cls.__name__ == "Customer" else {}
        return {**lock, "polymorphic_on": "kind"} if cls.__name__ == "Customer" else lock


class PersonalCustomer(Customer):
    """A natural person; fields and labels are those of the seed (3.1 基本信息)."""

    spec = Spec(
        "个人客户",
        Module.CUSTOMER,
        listed=(
            "number",
            "name",
            "id_number",
            "gender",
            "mobile",
            "region",
            "grade",
            "watch",
            "manager",
            "department",
        ),
        searched=("number", "name", "id_number", "mobile"),
        filtered=(
            "name",
            "is_guarantee_customer",
            "is_credit_customer",
            "region",
            "gender",
            "born_on",
            "education",
            "grade",
            "watch",
            "is_blacklisted",
            "manager_id",
            "department_id",
            "status",
        ),
        key=("id_type", "id_number"),
        scope=_SCOPE,
        rank=10,
        aliases={
            "name": ("姓名", "客户姓名"),
            "id_type": ("证件类型",),
            "id_number": ("身份证号", "身份证号码", "证件号"),
            "gender": ("性别",),
            "mobile": ("手机", "手机号", "联系电话"),
            "address": ("地址", "住址", "联系地址"),
            "region": ("地区", "所在地区"),
            "education": ("学历",),
        },
    )
    __table_args__ = (
        # An index, not a constraint: the rule that words the refusal looks beyond the reader's scope.
        Index("uq_personal_customer_id_number", "id_number", "id_type", unique=True),
    )
    __mapper_args__ = {"polymorphic_identity": CustomerKind.PERSONAL}

    id: Mapped[int] = mapped_column(
        ForeignKey("customer.id", ondelete="CASCADE"),
        primary_key=True,
        info=said(SERIAL),
    )
    id_type: Mapped[str] = c.dictionary(
        "证件类别", "id_type", required=True, default="ID_CARD", group="基本信息"
    )
    id_number: Mapped[str] = c.masked(
        "证件号码", 40, mask="id_number", required=True, group="基本信息"
    )
    id_expires_on: Mapped[date | None] = c.day("证件有效期至", group="基本信息", index=True)
    gender: Mapped[Gender | None] = c.enum(
        "客户性别", Gender, index=True, group="基本信息", help="身份证客户可留空，按证件号码填入"
    )
    born_on: Mapped[date | None] = c.day(
        "出生日期", index=True, group="基本信息", help="身份证客户可留空，按证件号码填入"
    )
    political_status: Mapped[str | None] = c.dictionary(
        "政治面貌", "political_status", group="基本信息"
    )
    ethnic_group: Mapped[str | None] = c.dictionary("民族", "ethnic_group", group="基本信息")
    marriage: Mapped[str | None] = c.dictionary("婚姻状况", "marriage", group="基本信息")
    education: Mapped[str | None] = c.dictionary(
        "最高学历", "education", index=True, group="基本信息"
    )
    health: Mapped[str | None] = c.dictionary("个人健康状况", "health", group="基本信息")
    degree: Mapped[str | None] = c.dictionary("最高学位", "degree", group="基本信息")
    household: Mapped[str | None] = c.dictionary("户口性质", "household", group="基本信息")
    residence: Mapped[str | None] = c.dictionary("居住状况", "residence", group="基本信息")
    home_phone: Mapped[str | None] = c.masked(
        "住址电话", 30, mask="mobile", check="phone", group="联系方式"
    )
    mobile: Mapped[str | None] = c.masked(
        "手机号码", 20, mask="mobile", check="mobile", group="联系方式"
    )
    office_phone: Mapped[str | None] = c.text("单位电话", 30, check="phone", group="联系方式")


class CorporateCustomer(Customer):
    """A company or other organisation (3.2 基本信息)."""

    spec = Spec(
        "对公客户",
        Module.CUSTOMER,
        listed=(
            "number",
            "name",
            "uscc",
            "legal_person",
            "industry",
            "scale",
            "region",
            "grade",
            "watch",
            "manager",
        ),
        searched=("number", "name", "uscc", "legal_person", "contact", "short_name"),
        filtered=(
            "name",
            "is_guarantee_customer",
            "is_credit_customer",
            "region",
            "industry",
            "scale",
            "established_on",
            "grade",
            "watch",
            "is_blacklisted",
            "manager_id",
            "department_id",
            "status",
        ),
        key=("uscc",),
        scope=_SCOPE,
        rank=20,
        aliases={
            "name": ("企业名称", "公司名称", "单位名称"),
            "uscc": ("信用代码", "社会信用代码", "统一代码"),
            "legal_person": ("法人", "法人代表"),
            "established_on": ("注册日期", "成立时间"),
            "industry": ("行业",),
            "scale": ("规模",),
            "region": ("地区", "所在地区"),
            "phone": ("电话", "联系方式"),
            "registered_address": ("地址", "住所"),
        },
    )
    __table_args__ = (Index("uq_corporate_customer_uscc", "uscc", unique=True),)
    __mapper_args__ = {"polymorphic_identity": CustomerKind.CORPORATE}

    id: Mapped[int] = mapped_column(
        ForeignKey("customer.id", ondelete="CASCADE"),
        primary_key=True,
        info=said(SERIAL),
    )
    short_name: Mapped[str | None] = c.text("客户简称", 40, group="基本信息")
    uscc: Mapped[str] = c.text(
        "统一社会信用代码", 18, check="uscc", required=True, group="基本信息"
    )
    legal_person: Mapped[str | None] = c.text("法定代表人", 50, group="基本信息")
    legal_person_id_number: Mapped[str | None] = c.masked(
        "法定代表人身份证号", 18, mask="id_number", check="id_number", group="基本信息"
    )
    actual_controller: Mapped[str | None] = c.text("实际控制人", 50, group="基本信息")
    actual_controller_id_number: Mapped[str | None] = c.masked(
        "实际控制人证件号码", 40, mask="id_number", group="基本信息"
    )
    registered_capital: Mapped[Decimal | None] = c.money("注册资本", group="基本信息")
    paid_in_capital: Mapped[Decimal | None] = c.money("实收资本", group="基本信息")
    established_on: Mapped[date | None] = c.day("成立日期", index=True, group="基本信息")
    licence_expires_on: Mapped[date | None] = c.day(
        "营业执照有效期至", index=True, group="基本信息", help="长期有效的留空"
    )
    enterprise_nature: Mapped[str | None] = c.dictionary(
        "企业性质", "unit_nature", group="基本信息"
    )
    industry: Mapped[str | None] = c.dictionary(
        "所属行业", "industry", index=True, group="基本信息", help="国民经济行业分类 GB/T 4754"
    )
    scale: Mapped[EnterpriseScale | None] = c.enum(
        "企业规模", EnterpriseScale, index=True, group="基本信息"
    )
    is_agriculture: Mapped[bool] = c.flag("涉农企业", group="基本信息")
    employee_count: Mapped[int | None] = c.whole("从业人数", unit="人", group="基本信息")
    business_scope: Mapped[str | None] = c.long_text("经营范围", group="基本信息")
    loan_card_no: Mapped[str | None] = c.text("中征码", 20, check="code", group="基本信息")
    registered_address: Mapped[str | None] = c.text("注册地址", 200, group="联系方式")
    contact: Mapped[str | None] = c.text("联系人", 50, group="联系方式")
    phone: Mapped[str | None] = c.masked(
        "联系电话", 30, mask="mobile", check="phone", group="联系方式"
    )


class CustomerWatch(Entity):
    """An entry on the VIP, prospect or black list, with its reason and its term (3.4)."""

    spec = Spec(
        "关注客户",
        Module.CUSTOMER,
        SpecKind.DOCUMENT,
        title="reason",
        listed=("customer", "kind", "reason", "state", "started_on", "ended_on"),
        filtered=("customer_id", "kind", "state", "started_on"),
        scope=Scope(through="customer"),
        state="state",
        drafts=(WatchState.DRAFT,),
        approvals={"blacklist": Decides()},
        rank=40,
    )
    __table_args__ = (
        CheckConstraint(
            "state NOT IN ('ACTIVE', 'REMOVAL_IN_APPROVAL', 'CLOSED') OR started_on IS NOT NULL",
            name="ck_customer_watch_started_on",
        ),
        CheckConstraint(
            "state <> 'CLOSED' OR ended_on IS NOT NULL", name="ck_customer_watch_ended_on"
        ),
        Index(
            "uq_customer_watch_open",
            "customer_id",
            "kind",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    customer_id: Mapped[int] = c.owned_by("客户", "customer", part=c.Part(120))
    customer: Mapped[Customer] = c.related(customer_id)
    kind: Mapped[WatchKind] = c.enum("关注类别", WatchKind, required=True, index=True)
    reason: Mapped[str] = c.text("列入原因", 300, required=True)
    state: Mapped[WatchState] = c.state("状态", WatchState, WatchState.DRAFT)
    started_on: Mapped[date | None] = c.computed(c.day("列入日期", index=True))
    end_reason: Mapped[str | None] = c.computed(c.text("移出原因", 300))
    ended_on: Mapped[date | None] = c.computed(c.day("移出日期"))
