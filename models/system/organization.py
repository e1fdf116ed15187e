"""The guarantee company itself: its data, departments, employees and the operators who sign in."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.system.records import Attachment


class Gender(Kind):
    """Sex as the identity card says it."""

    MALE = "男"
    FEMALE = "女"


class Theme(Kind):
    """Look that an operator has chosen."""

    SYSTEM = "跟随系统"
    LIGHT = "浅色"
    DARK = "深色"


class DesktopModule(Kind):
    """Quick modules of the workbench (2.1), in the order of a new operator's desktop."""

    TASKS = "待办事项"
    BALANCE = "在保余额"
    PROJECTS = "我的项目"
    DUE = "即将到期"
    WARNINGS = "预警信息"
    OVERDUE = "逾期借据"
    FEES = "费用待收"
    EVENTS = "复核管理"
    VOUCHERS = "凭证待办"
    CUSTOMERS = "我的客户"
    SUBMISSIONS = "我的申请"
    STRUCTURE = "在保结构"
    SHORTCUTS = "快捷入口"
    VIEWS = "我的视图"


class Company(Entity):
    """The company that runs this installation: a single row, printed on letters and shown in the head of every page."""

    spec = Spec(
        "公司信息",
        Module.SYSTEM,
        group=MenuGroup.PEOPLE,
        title="display_name",
        listed=("display_name", "full_name", "uscc", "legal_person", "phone"),
        key=("id",),
        saved_by=("edit",),
        rank=10,
        help="系统显示名称、标志和公司基本资料，用于页眉、函件和报表。",
    )
    __table_args__ = (CheckConstraint("id = 1", name="ck_company_single_row"),)

    display_name: Mapped[str] = c.text("系统显示名称", 40, required=True, help="显示在页眉和登录页")
    full_name: Mapped[str] = c.text("公司全称", 100, required=True)
    short_name: Mapped[str | None] = c.text("公司简称", 40)
    uscc: Mapped[str | None] = c.text("统一社会信用代码", 18, check="uscc")
    licence_no: Mapped[str | None] = c.text("融资担保业务经营许可证编号", 40)
    legal_person: Mapped[str | None] = c.text("法定代表人", 50)
    established_on: Mapped[date | None] = c.day("成立日期")
    address: Mapped[str | None] = c.text("公司地址", 200)
    postcode: Mapped[str | None] = c.text("邮政编码", 6, check="postcode")
    phone: Mapped[str | None] = c.text("联系电话", 30, check="phone")
    fax: Mapped[str | None] = c.text("传真", 30, check="phone")
    seal_character: Mapped[str] = c.text(
        "字号", 8, required=True, default="担", help="用于函件文号，如“某担函〔2026〕1号”"
    )
    logo_id: Mapped[int | None] = c.attachment("标志图片", use_alter=True)
    logo: Mapped[Attachment | None] = c.related(logo_id)


class Department(Entity):
    """A department; `path` ('/1/4/') makes 本部门及下级 one prefix comparison."""

    spec = Spec(
        "部门",
        Module.SYSTEM,
        group=MenuGroup.PEOPLE,
        listed=("name", "code", "parent", "manager", "phone", "is_active"),
        searched=("code", "name"),
        filtered=("parent_id", "is_active"),
        order="code",
        key=("code",),
        tree="path",
        rank=20,
    )
    __table_args__ = (
        UniqueConstraint("code", name="uq_department_code"),
        CheckConstraint(
            "parent_id IS NULL OR parent_id <> id", name="ck_department_not_own_parent"
        ),
    )

    code: Mapped[str] = c.text("部门编码", 20, required=True, check="code")
    name: Mapped[str] = c.text("部门名称", 60, required=True)
    parent_id: Mapped[int | None] = c.reference("上级部门", "department")
    parent: Mapped["Department | None"] = c.related(parent_id, remote_side="Department.id")
    manager_id: Mapped[int | None] = c.reference("部门负责人", "employee", use_alter=True)
    manager: Mapped["Employee | None"] = c.related(manager_id)
    phone: Mapped[str | None] = c.text("部门电话", 30, check="phone")
    rank: Mapped[int] = c.whole("显示顺序", required=True, default=100)
    is_active: Mapped[bool] = c.flag("启用", default=True, index=True)
    path: Mapped[str] = c.computed(c.text("部门路径", 190, required=True, default="/", index=True))
    note: Mapped[str | None] = c.text("备注", 200)


class Employee(Entity):
    """A member of staff; operators are made from employees only."""

    spec = Spec(
        "员工",
        Module.SYSTEM,
        group=MenuGroup.PEOPLE,
        listed=("number", "name", "department", "title", "mobile", "email", "is_active"),
        searched=("number", "name"),
        filtered=("department_id", "is_active", "name"),
        order="number",
        key=("number",),
        rank=30,
        reveals=("系统管理员",),
    )
    __table_args__ = (UniqueConstraint("number", name="uq_employee_number"),)

    number: Mapped[str] = c.text("工号", 20, required=True, check="code")
    name: Mapped[str] = c.text("姓名", 50, required=True, index=True)
    department_id: Mapped[int] = c.reference("所属部门", "department", required=True, part=c.Part())
    department: Mapped[Department] = c.related(department_id)
    manager_id: Mapped[int | None] = c.reference("直接上级", "employee", help="留空时为部门负责人")
    manager: Mapped["Employee | None"] = c.related(manager_id, remote_side="Employee.id")
    title: Mapped[str | None] = c.text("职务", 50)
    gender: Mapped[Gender | None] = c.enum("性别", Gender)
    mobile: Mapped[str | None] = c.masked("手机号码", 20, mask="mobile", check="mobile")
    office_phone: Mapped[str | None] = c.text("办公电话", 30, check="phone")
    email: Mapped[str | None] = c.text("E-mail地址", 100, check="email")
    entered_on: Mapped[date | None] = c.day("入职日期")
    left_on: Mapped[date | None] = c.day("离职日期")
    is_active: Mapped[bool] = c.flag("在职", default=True, index=True)
    note: Mapped[str | None] = c.text("备注", 200)


class Operator(Entity):
    """The sign-in of one employee: profile of the framework's user, with login rules and personal settings."""

    spec = Spec(
        "操作员",
        Module.SYSTEM,
        group=MenuGroup.PEOPLE,
        title="username",
        listed=("username", "employee", "last_login_at", "last_login_ip"),
        searched=("username",),
        filtered=("employee_id", "is_disabled"),
        order="username",
        key=("username",),
        rank=40,
        help="操作员必须是现有员工；角色决定其访问权限。",
        is_imported=False,  # the first password is typed by whoever hands it over
    )
    __table_args__ = (
        UniqueConstraint("username", name="uq_operator_username"),
        UniqueConstraint("user_id", name="uq_operator_user_id"),
        UniqueConstraint("employee_id", name="uq_operator_employee_id"),
        CheckConstraint("failed_count >= 0", name="ck_operator_failed_count"),
        CheckConstraint("rows_per_page BETWEEN 5 AND 200", name="ck_operator_rows_per_page"),
    )

    username: Mapped[str] = c.text("登录名", 64, required=True, check="code")
    employee_id: Mapped[int] = c.reference("员工", "employee", required=True, index=False)
    employee: Mapped[Employee] = c.related(employee_id)
    user_id: Mapped[int] = c.hidden(c.reference("登录账号", "ab_user", required=True, index=False))
    is_disabled: Mapped[bool] = c.flag("停用", index=True)
    must_change_password: Mapped[bool] = c.computed(c.flag("下次登录须修改密码", default=True))
    password_changed_at: Mapped[datetime | None] = c.computed(c.moment("密码修改时间"))
    failed_count: Mapped[int] = c.computed(c.whole("连续登录失败次数", required=True, default=0))
    # Places that the person is not known from are refused until then; known ones have counts of their own.
    locked_until: Mapped[datetime | None] = c.computed(c.moment("锁定至"))
    last_login_at: Mapped[datetime | None] = c.computed(c.moment("最近登录时间"))
    last_login_ip: Mapped[str | None] = c.computed(c.text("最近登录地址", 45))
    rows_per_page: Mapped[int] = c.whole(
        "每页行数", minimum=5, maximum=200, required=True, default=20
    )
    theme: Mapped[Theme] = c.enum("界面主题", Theme, required=True, default=Theme.SYSTEM)
    # {"modules": [names of DesktopModule]} in the order of the desktop; empty until the person has arranged it.
    desktop: Mapped[dict[str, Any] | None] = c.hidden(c.json("快捷桌面"))
    # Table -> names of the columns that the person has chosen for its list, in this order.
    list_columns: Mapped[dict[str, Any] | None] = c.hidden(c.json("列表列"))
    # Table -> the order in which the person has last sorted its list.
    list_orders: Mapped[dict[str, Any] | None] = c.hidden(c.json("列表排序"))
    # Report -> name -> the choice of parameters that the person has kept under it, as an address carries it.
    saved_reports: Mapped[dict[str, Any] | None] = c.hidden(c.json("我的报表"))


class PasswordHistory(Entity):
    """Hash of a password an operator has had, so that it is not chosen again."""

    spec = Spec(
        "历史密码",
        Module.SYSTEM,
        SpecKind.INTERNAL,
        title="id",
        scope=Scope(through="operator"),
        in_menu=False,
    )
    __table_args__ = (Index("ix_password_history_set_at", "operator_id", "set_at"),)

    operator_id: Mapped[int] = c.owned_by("操作员", "operator", part=None)
    operator: Mapped[Operator] = c.related(operator_id)
    password_hash: Mapped[str] = c.hidden(c.text("密码摘要", 256, required=True))
    set_at: Mapped[datetime] = c.hidden(c.moment("设置时间", required=True))
