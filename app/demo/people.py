"""The company, its departments and about 25 people in all roles."""

from decimal import Decimal

from sqlalchemy import select

from app.demo.stage import Stage
from app.demo_accounts import DEMO_PASSWORD
from models.approval.approval import ApprovalPosition, ApprovalPositionMember
from models.guarantee.bank import PartnerBank
from models.system.organization import Company, Department, Employee
from models.system.setup import Parameter
from workflows.base import records
from workflows.collateral.registration import REQUIRED
from workflows.system import operators

# code, name, parent code
DEPARTMENTS = (
    ("01", "总经理室", "00"),
    ("02", "业务一部", "00"),
    ("0201", "业务一部一组", "02"),
    ("03", "业务二部", "00"),
    ("04", "风险管理部", "00"),
    ("05", "法律合规部", "00"),
    ("06", "财务部", "00"),
    ("07", "综合管理部", "00"),
)
# sign-in name, person, department, title, roles
PEOPLE: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    ("admin", "方志远", "07", "信息主管", ("系统管理员",)),
    ("security", "顾海燕", "07", "安全专员", ("安全管理员",)),
    ("auditor", "沈国栋", "07", "审计专员", ("审计管理员",)),
    ("zhoumin", "周敏", "02", "客户经理", ("客户经理",)),
    ("sunhao", "孙浩", "02", "客户经理", ("客户经理",)),
    ("zhaoqian", "赵倩", "0201", "客户经理", ("客户经理",)),
    ("linyifan", "林一凡", "03", "客户经理", ("客户经理",)),
    ("qianwei", "钱伟", "03", "客户经理", ("客户经理",)),
    ("xujing", "徐静", "03", "客户经理", ("客户经理",)),
    ("chenli", "陈立", "02", "部门经理", ("业务部门经理",)),
    ("wangyan", "王艳", "03", "部门经理", ("业务部门经理",)),
    ("zhenglan", "郑岚", "04", "风控专员", ("风控专员",)),
    ("huangbo", "黄波", "04", "风控专员", ("风控专员",)),
    ("heping", "何平", "04", "风控总监", ("风控总监", "审保会委员")),
    ("liuwen", "刘文", "05", "法务经理", ("法务", "审保会委员")),
    ("hejianguo", "何建国", "01", "总裁", ("总裁",)),
    ("lujun", "陆军", "01", "分管副总", ("分管副总", "审保会委员")),
    ("tangxia", "唐霞", "01", "财务总监", ("财务主管", "审保会委员")),
    ("majie", "马杰", "01", "首席风险官", ("审保会委员",)),
    ("yangfan", "杨帆", "07", "董事会秘书", ("审保会秘书",)),
    ("wujie", "吴洁", "06", "会计", ("会计",)),
    ("shihui", "石慧", "06", "会计主管", ("财务主管",)),
    ("luona", "罗娜", "06", "出纳", ("出纳",)),
    ("fangyuan", "方圆", "04", "押品专员", ("押品专员",)),
    ("analyst", "苏雯", "04", "数据分析员", ("分析员",)),
)
MANAGERS = {
    "02": "chenli",
    "0201": "chenli",
    "03": "wangyan",
    "04": "heping",
    "05": "liuwen",
    "06": "tangxia",
    "01": "hejianguo",
    "07": "yangfan",
}
POSITIONS = {
    "evaluation": ("heping",),
    "review": ("majie",),
    "risk": ("heping",),
    "vice_president": ("lujun",),
    "president": ("hejianguo",),
    "counter_guarantee": ("heping",),
    "legal": ("liuwen",),
    "fee_waiver": ("tangxia",),
    "loan": ("lujun",),
    "after": ("heping",),
    "asset": ("majie",),
    "collateral": ("heping",),
    "finance": ("tangxia",),
    "administration": ("yangfan",),
    "rating": ("heping",),
    "transfer": ("lujun",),
    "personnel": ("yangfan",),
    "quota": ("hejianguo",),
}
ACCOUNT_MANAGERS = ("zhoumin", "sunhao", "zhaoqian", "linyifan", "qianwei", "xujing")
BOARD = ("heping", "liuwen", "lujun", "tangxia", "majie")
# code, name, short name, parent, line, share
BANKS = (
    ("ICBC", "中国工商银行江州分行", "工商银行", "", "800000000.00", "20"),
    ("ICBC-CD", "工行城东支行", "工行城东支行", "ICBC", "", "20"),
    ("CCB", "中国建设银行江州分行", "建设银行", "", "600000000.00", "20"),
    ("CCB-GX", "建行高新支行", "建行高新支行", "CCB", "", "20"),
    ("ABC", "中国农业银行江州分行", "农业银行", "", "500000000.00", "20"),
    ("PSBC", "邮储银行江州分行", "邮储银行", "", "300000000.00", "30"),
    ("JZRCB", "江州农村商业银行", "江州农商行", "", "400000000.00", "20"),
)


def make_company(stage: Stage) -> None:
    """Company data, departments, employees, sign-ins, positions, banks."""
    session, ctx = stage.session, stage.ctx()
    company = session.scalars(select(Company)).one()
    for name, value in {
        "display_name": "华衡融资担保",
        "full_name": "江州华衡融资担保有限公司",
        "short_name": "华衡担保",
        "legal_person": "何建国",
        "address": "江州市金融大道 88 号华衡大厦 12 层",
        "phone": "0510-88886666",
        "seal_character": "衡",
    }.items():
        setattr(company, name, value)
    root = Department(code="00", name="江州华衡融资担保有限公司", path="/")
    session.add(root)
    session.flush()
    root.path = f"/{root.id}/"
    departments = {"00": root}
    for code, name, parent in DEPARTMENTS:
        values = {"code": code, "name": name, "parent_id": departments[parent].id}
        departments[code] = records.create(ctx, Department, values)
    employees = {
        username: records.create(
            ctx,
            Employee,
            {
                "number": f"E{index:03d}",
                "name": name,
                "department_id": departments[department].id,
                "title": title,
                "email": f"{username}@example.com",
            },
        )
        for index, (username, name, department, title, _) in enumerate(PEOPLE, start=1)
    }
    _take_posts(stage, departments, employees)
    _make_banks(stage)
    ask_registrations(stage, is_asked=False)
    session.flush()


def ask_registrations(stage: Stage, *, is_asked: bool) -> None:
    """From today on a mortgage is settled by its registration on the asset, or by what the clerk says of it."""
    first = stage.session.scalars(
        select(Parameter).where(Parameter.code == REQUIRED).order_by(Parameter.effective_on)
    ).first()
    assert first is not None, "base data brings it"
    kept = ("code", "label", "value_kind", "unit", "module", "note")
    values = {name: getattr(first, name) for name in kept}
    values |= {"value": "是" if is_asked else "否", "effective_on": stage.today}
    records.create(stage.ctx(), Parameter, values)


def _take_posts(
    stage: Stage, departments: dict[str, Department], employees: dict[str, Employee]
) -> None:
    """Heads of departments, operators with their roles, members of approval positions."""
    session, ctx = stage.session, stage.ctx()
    for code, username in MANAGERS.items():
        departments[code].manager_id = employees[username].id
    # one password, so one hash: a slow one for each would take longer than all else that begins the company
    secret = operators.first_secret(ctx, PEOPLE[0][0], DEMO_PASSWORD)
    for username, _, _, _, roles in PEOPLE:
        operators.create_operator(
            ctx, employees[username], username, secret, list(roles), must_change=False
        )
    for code, members in POSITIONS.items():
        position = session.scalars(
            select(ApprovalPosition).where(ApprovalPosition.code == code)
        ).one()
        for username in members:
            session.add(
                ApprovalPositionMember(position_id=position.id, employee_id=employees[username].id)
            )


def _make_banks(stage: Stage) -> None:
    ctx = stage.ctx()
    banks: dict[str, PartnerBank] = {}
    for code, name, short, parent, line, share in BANKS:
        banks[code] = records.create(
            ctx,
            PartnerBank,
            {
                "code": code,
                "name": name,
                "short_name": short,
                "parent_id": banks[parent].id if parent else None,
                "credit_line": Decimal(line) if line else None,
                "share_pct": Decimal(share),
                "contact": "信贷部",
            },
        )
