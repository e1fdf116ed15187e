"""What is known about a customer beyond the basic data: the tabs of the customer's page (3.1, 3.2)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, Module
from models.customer.customer import CorporateCustomer, Customer, PersonalCustomer
from models.system.organization import Gender
from models.system.records import Attachment

_PERSONAL = Scope(through="personal_customer")
_CORPORATE = Scope(through="corporate_customer")
_ANY = Scope(through="customer")


class LitigationRole(Kind):
    """Side of the customer in a lawsuit."""

    PLAINTIFF = "原告"
    DEFENDANT = "被告"
    THIRD_PARTY = "第三人"
    EXECUTED = "被执行人"


class LitigationStatus(Kind):
    """How far a lawsuit is."""

    OPEN = "未结"
    CLOSED = "已结"


class EventLevel(Kind):
    """Weight of a major event; serious ones raise a warning (6.6)."""

    NORMAL = "一般"
    WARNING = "关注"
    SERIOUS = "严重"


class GuaranteeStatus(Kind):
    """Whether a guarantee given to others still binds."""

    OPEN = "在保"
    RELEASED = "已解除"
    COMPENSATED = "已代偿"


class Occupation(Entity):
    """职业信息 of a person."""

    spec = Spec(
        "职业信息",
        Module.CUSTOMER,
        title="employer",
        scope=_PERSONAL,
        in_menu=False,
        listed=(
            "personal_customer",
            "occupation",
            "employer",
            "industry",
            "position",
            "job_title",
            "since_year",
        ),
    )

    personal_customer_id: Mapped[int] = c.owned_by("客户姓名", "personal_customer")
    personal_customer: Mapped[PersonalCustomer] = c.related(personal_customer_id)
    occupation: Mapped[str] = c.dictionary("职业", "occupation", required=True)
    employer: Mapped[str | None] = c.text("单位名称", 100)
    industry: Mapped[str | None] = c.dictionary("单位所属行业", "industry")
    employer_nature: Mapped[str | None] = c.dictionary("单位性质", "unit_nature")
    employer_phone: Mapped[str | None] = c.text("单位电话", 30, check="phone")
    employer_postcode: Mapped[str | None] = c.text("单位邮政编码", 6, check="postcode")
    since_year: Mapped[int | None] = c.whole(
        "所在单位工作起始年份", minimum=1940, maximum=2200, unit="年"
    )
    employer_address: Mapped[str | None] = c.text("单位地址", 200)
    position: Mapped[str | None] = c.dictionary("职务", "position")
    job_title: Mapped[str | None] = c.dictionary("职称", "job_title")


class IncomeExpense(Entity):
    """收支情况 of a person and the household."""

    spec = Spec(
        "收支情况",
        Module.CUSTOMER,
        title="main_income_source",
        scope=_PERSONAL,
        in_menu=False,
        listed=(
            "personal_customer",
            "main_income_source",
            "monthly_income",
            "household_monthly_income",
            "household_size",
            "dependants",
        ),
    )
    __table_args__ = (
        CheckConstraint("household_size >= 1", name="ck_income_expense_household_size"),
    )

    personal_customer_id: Mapped[int] = c.owned_by("客户名称", "personal_customer", part=c.Part(20))
    personal_customer: Mapped[PersonalCustomer] = c.related(personal_customer_id)
    main_income_source: Mapped[str | None] = c.dictionary("主要经济来源", "income_source")
    other_income_source: Mapped[str | None] = c.dictionary("其他经济来源", "income_source")
    monthly_income: Mapped[Decimal] = c.money("个人月收入", required=True)
    household_monthly_income: Mapped[Decimal] = c.money("家庭月收入", required=True)
    household_size: Mapped[int] = c.whole(
        "家庭人口数", minimum=1, maximum=99, unit="人", required=True
    )
    dependants: Mapped[int | None] = c.whole("主要供养人口", maximum=99, unit="人")
    household_monthly_expense: Mapped[Decimal | None] = c.money("家庭月支出")
    monthly_debt_service: Mapped[Decimal | None] = c.money(
        "月还债支出", help="用于评级中的债务收入比"
    )
    household_assets: Mapped[Decimal | None] = c.money("家庭总资产")
    household_debts: Mapped[Decimal | None] = c.money("家庭总负债")


class Resume(Entity):
    """个人履历: one station of a career."""

    spec = Spec(
        "个人履历",
        Module.CUSTOMER,
        title="employer",
        scope=_PERSONAL,
        in_menu=False,
        order="-start_on",
        listed=(
            "personal_customer",
            "start_on",
            "end_on",
            "employer",
            "employer_department",
            "position",
        ),
    )
    __table_args__ = (
        CheckConstraint("end_on IS NULL OR end_on >= start_on", name="ck_resume_dates"),
    )

    personal_customer_id: Mapped[int] = c.owned_by("客户名称", "personal_customer", part=c.Part(30))
    personal_customer: Mapped[PersonalCustomer] = c.related(personal_customer_id)
    start_on: Mapped[date] = c.day("开始日期", required=True)
    end_on: Mapped[date | None] = c.day("结束日期", help="至今的留空")
    employer: Mapped[str] = c.text("所在单位", 100, required=True)
    employer_department: Mapped[str | None] = c.text("所在部门", 60)
    position: Mapped[str | None] = c.text("担任职务", 50)
    employer_nature: Mapped[str | None] = c.dictionary("单位性质", "unit_nature")
    employer_phone: Mapped[str | None] = c.text("单位电话", 30, check="phone")
    employer_postcode: Mapped[str | None] = c.text("单位邮政编码", 6, check="postcode")
    employer_address: Mapped[str | None] = c.text("单位地址", 200)


class FamilyMember(Entity):
    """家庭成员 of a person."""

    spec = Spec(
        "家庭成员",
        Module.CUSTOMER,
        key=("personal_customer_id", "relation", "name"),
        scope=_PERSONAL,
        in_menu=False,
        listed=("personal_customer", "relation", "name", "gender", "phone", "employer"),
    )

    personal_customer_id: Mapped[int] = c.owned_by("客户名称", "personal_customer", part=c.Part(40))
    personal_customer: Mapped[PersonalCustomer] = c.related(personal_customer_id)
    relation: Mapped[str] = c.dictionary("与客户关系", "family_relation", required=True)
    name: Mapped[str] = c.text("姓名", 50, required=True)
    id_type: Mapped[str | None] = c.dictionary("证件类型", "id_type")
    id_number: Mapped[str | None] = c.masked("证件号码", 40, mask="id_number")
    gender: Mapped[Gender | None] = c.enum("性别", Gender)
    phone: Mapped[str | None] = c.masked("联系电话", 30, mask="mobile", check="phone")
    employer: Mapped[str | None] = c.text("工作单位", 100)
    health: Mapped[str | None] = c.dictionary("个人健康状况", "health")


class Shop(Entity):
    """门店信息: a shop that a person runs."""

    spec = Spec(
        "门店信息",
        Module.CUSTOMER,
        key=("personal_customer_id", "name"),
        scope=_PERSONAL,
        in_menu=False,
        listed=(
            "personal_customer",
            "name",
            "registered_capital",
            "business_scale",
            "licence_no",
            "registered_on",
        ),
    )

    personal_customer_id: Mapped[int] = c.owned_by("客户姓名", "personal_customer", part=c.Part(50))
    personal_customer: Mapped[PersonalCustomer] = c.related(personal_customer_id)
    name: Mapped[str] = c.text("门店字号", 100, required=True)
    registered_capital: Mapped[Decimal | None] = c.money("注册资本")
    business_scale: Mapped[str | None] = c.text("经营规模", 100)
    address: Mapped[str | None] = c.text("门店地址", 200)
    licence_no: Mapped[str | None] = c.text("营业执照号码", 40, check="code")
    tax_registration_no: Mapped[str | None] = c.text("税务登记证号码", 40, check="code")
    registered_on: Mapped[date | None] = c.day("注册时间")
    last_inspected_on: Mapped[date | None] = c.day("最新年检日期")
    account_no: Mapped[str | None] = c.masked("基本账号", 40, mask="account")
    account_bank: Mapped[str | None] = c.text("基本账号开户行", 100)


class Shareholder(Entity):
    """股东出资 of a company."""

    spec = Spec(
        "股东出资",
        Module.CUSTOMER,
        key=("corporate_customer_id", "name"),
        scope=_CORPORATE,
        in_menu=False,
        sums=("subscribed", "paid_in"),
        listed=(
            "corporate_customer",
            "name",
            "holder_kind",
            "subscribed",
            "paid_in",
            "share_pct",
            "is_controller",
        ),
    )

    corporate_customer_id: Mapped[int] = c.owned_by("客户", "corporate_customer")
    corporate_customer: Mapped[CorporateCustomer] = c.related(corporate_customer_id)
    name: Mapped[str] = c.text("股东名称", 100, required=True)
    holder_kind: Mapped[str | None] = c.dictionary("股东类型", "shareholder_kind")
    id_number: Mapped[str | None] = c.masked("证件号码", 40, mask="id_number")
    subscribed: Mapped[Decimal | None] = c.money("认缴出资额")
    paid_in: Mapped[Decimal | None] = c.money("实缴出资额")
    share_pct: Mapped[Decimal] = c.rate("持股比例", scale=4, required=True)
    contributed_on: Mapped[date | None] = c.day("出资日期")
    contribution_form: Mapped[str | None] = c.dictionary("出资方式", "contribution_form")
    is_controller: Mapped[bool] = c.flag("控股股东")


class Executive(Entity):
    """高管人员 of a company."""

    spec = Spec(
        "高管人员",
        Module.CUSTOMER,
        key=("corporate_customer_id", "name", "position"),
        scope=_CORPORATE,
        in_menu=False,
        listed=("corporate_customer", "name", "position", "gender", "education", "phone", "since"),
    )

    corporate_customer_id: Mapped[int] = c.owned_by("客户", "corporate_customer", part=c.Part(20))
    corporate_customer: Mapped[CorporateCustomer] = c.related(corporate_customer_id)
    name: Mapped[str] = c.text("姓名", 50, required=True)
    position: Mapped[str] = c.text("职务", 50, required=True)
    gender: Mapped[Gender | None] = c.enum("性别", Gender)
    id_number: Mapped[str | None] = c.masked("身份证号", 18, mask="id_number", check="id_number")
    education: Mapped[str | None] = c.dictionary("最高学历", "education")
    phone: Mapped[str | None] = c.masked("联系电话", 30, mask="mobile", check="phone")
    since: Mapped[date | None] = c.day("任职起始日")
    industry_years: Mapped[int | None] = c.whole("从业年限", unit="年", maximum=80)
    resume: Mapped[str | None] = c.long_text("主要经历")


class BankAccount(Entity):
    """银行账户 of a customer."""

    spec = Spec(
        "银行账户",
        Module.CUSTOMER,
        reveals=("财务主管", "出纳"),  # who pays must see where to
        title="bank_name",
        scope=_ANY,
        in_menu=False,
        key=("account_no",),
        listed=("customer", "account_kind", "bank_name", "account_name", "account_no", "is_active"),
    )
    __table_args__ = (UniqueConstraint("customer_id", "account_no", name="uq_bank_account_no"),)

    customer_id: Mapped[int] = c.owned_by("客户", "customer", part=c.Part(140))
    customer: Mapped[Customer] = c.related(customer_id)
    account_kind: Mapped[str] = c.dictionary(
        "账户性质", "bank_account_kind", required=True, default="GENERAL"
    )
    bank_name: Mapped[str] = c.text("开户行", 100, required=True)
    account_name: Mapped[str] = c.text("户名", 100, required=True)
    account_no: Mapped[str] = c.masked("账号", 40, mask="account", required=True)
    opened_on: Mapped[date | None] = c.day("开户日期")
    is_active: Mapped[bool] = c.flag("启用", default=True)


class Qualification(Entity):
    """资质证书 of a company."""

    spec = Spec(
        "资质证书",
        Module.CUSTOMER,
        key=("corporate_customer_id", "name", "number"),
        scope=_CORPORATE,
        in_menu=False,
        listed=("corporate_customer", "name", "number", "level", "issuer", "valid_until"),
    )

    corporate_customer_id: Mapped[int] = c.owned_by("客户", "corporate_customer", part=c.Part(40))
    corporate_customer: Mapped[CorporateCustomer] = c.related(corporate_customer_id)
    name: Mapped[str] = c.text("资质名称", 100, required=True)
    number: Mapped[str | None] = c.text("证书编号", 60)
    level: Mapped[str | None] = c.text("资质等级", 40)
    issuer: Mapped[str | None] = c.text("发证机关", 100)
    issued_on: Mapped[date | None] = c.day("发证日期")
    valid_until: Mapped[date | None] = c.day("有效期至", index=True)
    scan_id: Mapped[int | None] = c.attachment("证书扫描件")
    scan: Mapped[Attachment | None] = c.related(scan_id)


class Litigation(Entity):
    """涉诉情况 of a customer; an open case as defendant raises a warning (6.6)."""

    spec = Spec(
        "涉诉情况",
        Module.CUSTOMER,
        title="case_no",
        key=("customer_id", "case_no"),
        scope=_ANY,
        in_menu=False,
        order="-filed_on",
        listed=(
            "customer",
            "case_no",
            "role",
            "cause",
            "amount",
            "is_seized",
            "filed_on",
            "status",
        ),
    )

    customer_id: Mapped[int] = c.owned_by("客户", "customer", part=c.Part(150))
    customer: Mapped[Customer] = c.related(customer_id)
    case_no: Mapped[str] = c.text("案号", 60, required=True)
    court: Mapped[str | None] = c.text("受理法院", 100)
    role: Mapped[LitigationRole] = c.enum("诉讼地位", LitigationRole, required=True)
    opponent: Mapped[str | None] = c.text("对方当事人", 100)
    cause: Mapped[str] = c.text("案由", 100, required=True)
    amount: Mapped[Decimal | None] = c.money("涉案金额")
    is_seized: Mapped[bool] = c.flag("资产被查封冻结")
    filed_on: Mapped[date] = c.day("立案日期", required=True, index=True)
    status: Mapped[LitigationStatus] = c.enum(
        "案件状态", LitigationStatus, required=True, default=LitigationStatus.OPEN
    )
    closed_on: Mapped[date | None] = c.day("结案日期")
    result: Mapped[str | None] = c.long_text("处理结果")


class ExternalGuarantee(Entity):
    """对外担保: what the company guarantees for others."""

    spec = Spec(
        "对外担保",
        Module.CUSTOMER,
        title="debtor",
        scope=_CORPORATE,
        in_menu=False,
        sums=("balance",),
        listed=(
            "corporate_customer",
            "debtor",
            "creditor",
            "amount",
            "balance",
            "end_on",
            "status",
        ),
    )

    corporate_customer_id: Mapped[int] = c.owned_by("客户", "corporate_customer", part=c.Part(50))
    corporate_customer: Mapped[CorporateCustomer] = c.related(corporate_customer_id)
    debtor: Mapped[str] = c.text("被担保人", 100, required=True)
    creditor: Mapped[str | None] = c.text("债权人", 100)
    guarantee_form: Mapped[str | None] = c.dictionary("担保方式", "guarantee_form")
    amount: Mapped[Decimal] = c.money("担保金额", required=True, positive=True)
    balance: Mapped[Decimal] = c.money("担保余额", required=True)
    start_on: Mapped[date | None] = c.day("起始日期")
    end_on: Mapped[date | None] = c.day("到期日期")
    status: Mapped[GuaranteeStatus] = c.enum(
        "状态", GuaranteeStatus, required=True, default=GuaranteeStatus.OPEN
    )


class TaxRecord(Entity):
    """纳税情况 of a company in one year."""

    spec = Spec(
        "纳税情况",
        Module.CUSTOMER,
        title="year",
        key=("corporate_customer_id", "year"),
        scope=_CORPORATE,
        in_menu=False,
        order="-year",
        listed=(
            "corporate_customer",
            "year",
            "sales",
            "vat",
            "income_tax",
            "other_tax",
            "tax_grade",
            "overdue_tax",
        ),
        sums=("vat", "income_tax", "other_tax"),
    )
    __table_args__ = (UniqueConstraint("corporate_customer_id", "year", name="uq_tax_record_year"),)

    corporate_customer_id: Mapped[int] = c.owned_by("客户", "corporate_customer", part=c.Part(60))
    corporate_customer: Mapped[CorporateCustomer] = c.related(corporate_customer_id)
    year: Mapped[int] = c.whole("年度", minimum=1990, maximum=2200, required=True)
    sales: Mapped[Decimal | None] = c.money("申报销售额")
    vat: Mapped[Decimal | None] = c.money("增值税")
    income_tax: Mapped[Decimal | None] = c.money("企业所得税")
    other_tax: Mapped[Decimal | None] = c.money("其他税费")
    overdue_tax: Mapped[Decimal | None] = c.money("欠税金额")
    tax_grade: Mapped[str | None] = c.dictionary("纳税信用等级", "tax_grade")


class MajorEvent(Entity):
    """重大经济事件 of a customer."""

    spec = Spec(
        "重大经济事件",
        Module.CUSTOMER,
        title="summary",
        scope=_ANY,
        rank=50,
        order="-happened_on",
        listed=("customer", "happened_on", "event_kind", "level", "summary", "amount"),
        filtered=("customer_id", "happened_on", "event_kind", "level"),
        searched=("summary",),
    )

    customer_id: Mapped[int] = c.owned_by("客户", "customer", part=c.Part(160))
    customer: Mapped[Customer] = c.related(customer_id)
    happened_on: Mapped[date] = c.day("发生日期", required=True, index=True)
    event_kind: Mapped[str] = c.dictionary(
        "事件类别", "major_event_kind", required=True, index=True
    )
    level: Mapped[EventLevel] = c.enum(
        "严重程度", EventLevel, required=True, default=EventLevel.NORMAL, index=True
    )
    summary: Mapped[str] = c.text("事件摘要", 200, required=True)
    amount: Mapped[Decimal | None] = c.money("涉及金额")
    impact: Mapped[str | None] = c.long_text("影响分析")
    source: Mapped[str | None] = c.text("信息来源", 100)
