"""押品设置 (10.4): kinds of collateral with their rates and cycles, the fields of each kind, and where papers lie."""

from decimal import Decimal

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, Spec
from models.base.kinds import Kind, Module
from models.base.rights import READ, WRITE
from models.base.rows import SeedRow
from models.system.organization import Employee


class Registry(Kind):
    """Where a mortgage or pledge of such assets is registered."""

    REAL_ESTATE = "不动产登记机构"
    MOVABLES = "动产融资统一登记公示系统（中登网）"
    VEHICLE = "车辆管理所"
    EQUITY = "市场监督管理部门（股权出质）"
    SECURITIES = "证券登记结算机构"
    IP = "知识产权局"
    FORESTRY = "林权登记机构"
    NONE = "不登记（交付或止付）"


# Movable goods, which a stock-take counts where they lie.
_GOODS = ("VEHICLE", "EQUIPMENT", "INVENTORY")


def _kinds() -> tuple[SeedRow, ...]:
    """The kinds of domain.md 4: code, name, usual rate, months between valuations, days between looks, office."""
    rows = (
        ("HOUSE", "住宅", "70", "12", "180", "REAL_ESTATE", "否"),
        ("SHOP", "商铺或办公用房", "60", "12", "180", "REAL_ESTATE", "是"),
        ("PLANT", "厂房", "60", "12", "90", "REAL_ESTATE", "是"),
        ("LAND", "土地使用权", "60", "12", "180", "REAL_ESTATE", "否"),
        ("VEHICLE", "车辆", "50", "6", "90", "VEHICLE", "是"),
        ("EQUIPMENT", "机器设备", "50", "12", "90", "MOVABLES", "是"),
        ("INVENTORY", "存货", "50", "3", "30", "MOVABLES", "是"),
        ("RECEIVABLE", "应收账款", "70", "3", "30", "MOVABLES", "否"),
        ("DEPOSIT_RECEIPT", "存单", "90", "12", "", "NONE", "否"),
        ("LISTED_SHARE", "上市公司股权", "50", "1", "30", "SECURITIES", "否"),
        ("UNLISTED_SHARE", "非上市股权", "30", "12", "180", "EQUITY", "否"),
        ("BILL", "票据", "90", "6", "", "NONE", "否"),
        ("WAREHOUSE_RECEIPT", "仓单", "60", "3", "30", "MOVABLES", "是"),
        ("IP", "知识产权", "30", "12", "180", "IP", "否"),
        ("FOREST", "林权", "40", "12", "180", "FORESTRY", "否"),
        ("OTHER", "其他", "30", "12", "180", "MOVABLES", "否"),
    )
    names = ("code", "name", "rate_pct", "valuation_months", "watch_days", "office")
    made = []
    for rank, (*facts, is_insured) in enumerate(rows, 1):
        values = {**dict(zip(names, facts, strict=True)), "needs_insurance": is_insured}
        values["is_counted"] = "是" if values["code"] in _GOODS else "否"
        made.append(SeedRow("collateral_type", {**values, "rank": str(10 * rank)}))
    return tuple(made)


def _fields() -> tuple[SeedRow, ...]:
    """What is asked for of assets of one kind alone; administrators add their own beside them."""
    rows = (
        ("HOUSE", "unit_no", "不动产单元号", "TEXT", ""),
        ("HOUSE", "floor_area", "建筑面积", "RATE", "平方米"),
        ("SHOP", "shop_area", "商用面积", "RATE", "平方米"),
        ("SHOP", "shop_rent", "年租金", "MONEY", ""),
        ("PLANT", "plant_area", "厂房面积", "RATE", "平方米"),
        ("LAND", "land_area", "土地面积", "RATE", "平方米"),
        ("LAND", "land_use_until", "土地使用权终止日期", "DATE", ""),
        ("VEHICLE", "plate_no", "车牌号码", "TEXT", ""),
        ("VEHICLE", "frame_no", "车辆识别代号", "TEXT", ""),
        ("EQUIPMENT", "model_no", "规格型号", "TEXT", ""),
        ("INVENTORY", "warehouse", "存放仓库", "TEXT", ""),
        ("RECEIVABLE", "debtor", "债务人", "TEXT", ""),
        ("RECEIVABLE", "receivable_due_on", "应收账款到期日", "DATE", ""),
        ("DEPOSIT_RECEIPT", "receipt_bank", "存款银行", "TEXT", ""),
        ("DEPOSIT_RECEIPT", "receipt_due_on", "存单到期日", "DATE", ""),
        ("LISTED_SHARE", "stock_code", "证券代码", "TEXT", ""),
        ("LISTED_SHARE", "share_count", "股数", "INT", "股"),
        ("UNLISTED_SHARE", "company_name", "标的公司", "TEXT", ""),
    )
    return tuple(
        SeedRow(
            "custom_field",
            {
                "table_name": "collateral",
                "code": code,
                "label": label,
                "kind": kind,
                "unit": unit,
                "group": "种类要素",
                "visible_if": f"押品种类的种类编码 = “{of}”",
                "rank": str(10 * rank),
            },
        )
        for rank, (of, code, label, kind, unit) in enumerate(rows, 1)
    )


class CollateralType(Entity):
    """A kind of collateral: what is lent on it, how often it is valued and looked at, where it is registered."""

    spec = Spec(
        "押品种类",
        Module.COLLATERAL_SETUP,
        rank=10,
        order="rank",
        key=("code",),
        roles={"押品专员": READ, "风控总监": READ},
        listed=(
            "name",
            "rate_pct",
            "valuation_months",
            "watch_days",
            "office",
            "needs_insurance",
            "is_active",
            "code",
        ),
        searched=("name", "code"),
        filtered=("is_active",),
        help="抵押率上限在“系统参数”中按生效日期设置，这里是登记时的常用比率；本种类要填的要素在种类页上增加，保存后立即生效。",
        config=Config(),
        seeds=(*_kinds(), *_fields()),
    )
    __table_args__ = (CheckConstraint("rate_pct > 0", name="ck_collateral_type_rate"),)
    code: Mapped[str] = c.text(
        "种类编码", 32, required=True, unique=True, check="code", help="保存后不能修改"
    )
    name: Mapped[str] = c.text("种类名称", 60, required=True, unique=True)
    rate_pct: Mapped[Decimal] = c.rate(
        "常用抵押率", unit="%", scale=2, required=True, help="登记押品时的默认值，不超过抵押率上限"
    )
    valuation_months: Mapped[int] = c.whole(
        "估值周期", unit="个月", required=True, minimum=1, maximum=60, default=12
    )
    watch_days: Mapped[int | None] = c.whole(
        "监管周期", unit="天", minimum=1, maximum=730, help="在押期间现场查看的间隔；不填为不安排"
    )
    office: Mapped[Registry] = c.enum(
        "登记机构", Registry, required=True, default=Registry.MOVABLES
    )
    needs_insurance: Mapped[bool] = c.flag("应投保", help="设押后没有有效保险的进入预警")
    is_counted: Mapped[bool] = c.flag("实物盘点", help="动产：盘点动产时列入在押的")
    rank: Mapped[int] = c.whole("显示顺序", required=True, default=200)
    is_active: Mapped[bool] = c.flag("启用", default=True, index=True)
    note: Mapped[str | None] = c.text("说明", 200)


class StoragePlace(Entity):
    """Where certificates and other originals lie: a vault, a safe, a bank's box."""

    spec = Spec(
        "库房库位",
        Module.COLLATERAL_SETUP,
        rank=20,
        order="name",
        key=("name",),
        roles={"押品专员": WRITE},
        listed=("name", "address", "keeper", "is_active"),
        searched=("name", "address"),
        filtered=("keeper_id", "is_active"),
        config=Config(),
        demo=({"name": "总部档案库 1 号保险柜", "address": "江州市滨江区总部三楼"},),
    )
    name: Mapped[str] = c.text("库位名称", 60, required=True, unique=True)
    address: Mapped[str | None] = c.text("地址", 120)
    keeper_id: Mapped[int | None] = c.reference("保管人", "employee")
    keeper: Mapped[Employee | None] = c.related(keeper_id)
    is_active: Mapped[bool] = c.flag("启用", default=True, index=True)
