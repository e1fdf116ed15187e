"""Fixed codes with meaning in code: member name = stored code, value = Chinese label."""

from collections.abc import Callable, Mapping
from enum import Enum

# Dictionaries that programs fix and nobody edits: their codes have dots, or are names that stand elsewhere. Those that
# are worked out from the models are asked for when first used, for the models load one after another.
FIXED: dict[str, Mapping[str, str] | Callable[[], Mapping[str, str]]] = {}


class Kind(Enum):
    """Base of every fixed code; `str()` gives what users read, `name` what is stored."""

    def __str__(self) -> str:
        """Chinese label."""
        return str(self.value)

    @property
    def label(self) -> str:
        """Chinese label."""
        return str(self.value)

    @property
    def tone(self) -> str:
        """Shape and colour of the status: draft, doing, ok, warn or bad (see `TONES`)."""
        return TONES.get(self.name, "plain")


# One place says how a status looks; screens never decide by its words.
TONES: dict[str, str] = {
    "DRAFT": "draft",
    "NOT_STARTED": "draft",
    "PENDING": "doing",
    "SUBMITTED": "doing",
    "RUNNING": "doing",
    "IN_APPROVAL": "doing",
    "REVIEWED": "doing",
    "SIGNED": "doing",
    "OPEN": "ok",
    "ACTIVE": "ok",
    "APPROVED": "ok",
    "POSTED": "ok",
    "DONE": "ok",
    "BOOKED": "ok",
    "IN_FORCE": "ok",
    "SUCCEEDED": "ok",
    "PASSED": "ok",
    "RETURNED": "warn",
    "WARNING": "warn",
    "PARTIAL": "doing",
    "REFUSED": "bad",
    "REJECTED": "bad",
    "FAILED": "bad",
    "VOID": "bad",
    "CANCELLED": "draft",
    "CLOSED": "draft",
    "DISABLED": "draft",
    "BLACKLISTED": "bad",
    "VETOED": "bad",
    "WITHDRAWN": "draft",
    "REVERSED": "bad",
    "COLLECTED": "ok",
    "WAIVED": "draft",
    "RELEASED": "ok",
    "COMPENSATED": "bad",
    "RECOVERED": "ok",
    "WRITTEN_OFF": "draft",
    "SIGNING": "doing",
    "OVERDUE": "bad",
    "SETTLED": "ok",
    "HISTORY": "draft",
    "VALID": "ok",
    "EXPIRED": "warn",
    "NOTICE": "doing",
    "ATTENTION": "warn",
    "SERIOUS": "bad",
    "HANDLING": "doing",
    "LIFTED": "ok",
    "PUBLISHED": "ok",
    "RETIRED": "draft",
    "LAPSED": "draft",
    "STORED": "ok",
    "LENT": "warn",
}


class SpecKind(Kind):
    """How an entity may be touched (architecture rule 13)."""

    MASTER = "主数据"
    DOCUMENT = "业务单据"
    LEDGER = "账簿"
    LOG = "日志"
    INTERNAL = "内部"

    @property
    def has_screen(self) -> bool:
        """Internal tables have no screen and no REST."""
        return self is not SpecKind.INTERNAL

    @property
    def is_writable(self) -> bool:
        """Whether the generated screens and REST offer add, edit and delete (through the verb)."""
        return self in (SpecKind.MASTER, SpecKind.DOCUMENT)


class Module(Kind):
    """Menu modules of the seed, in its order; the menu section follows from `is_back_office`."""

    WORKBENCH = "我的工作台"
    CUSTOMER = "客户管理"
    GUARANTEE = "担保办理"
    QUERY = "业务查询"
    AFTER = "保后管理"
    COLLATERAL = "押品管理"
    LEDGER = "总账管理"
    STATISTICS = "统计分析"
    SYSTEM = "系统设置"
    CUSTOMER_SETUP = "客户设置"
    GUARANTEE_SETUP = "担保设置"
    COLLATERAL_SETUP = "押品设置"
    HELP = "帮助支持"

    @property
    def is_back_office(self) -> bool:
        """True for 后台设置."""
        return self in (
            Module.SYSTEM,
            Module.CUSTOMER_SETUP,
            Module.GUARANTEE_SETUP,
            Module.COLLATERAL_SETUP,
        )


class MenuGroup(Kind):
    """Second level of the menu: lists and screens of a module that fold away together, by the seed's own words."""

    MATERIALS = "担保资料"
    INTAKE = "担保受理"
    RISK = "风险管控"
    RESOLUTION = "公司决议"
    SIGNING = "签约办理"
    LENDING = "放款管理"
    SHARING = "分险与批量"
    HISTORY = "历史补录管理"
    FILES = "档案管理"
    ENDING = "终止与更正"
    COMPENSATION = "代偿管理"
    RECOVERY = "追偿管理"
    DECIDED = "审批查询"
    COLLATERAL_FILES = "押品登记"
    COLLATERAL_WATCH = "押品监管"
    COLLATERAL_QUERY = "押品查询"
    CLOSING = "期末处理"
    BOOKS = "账簿查询"
    STATEMENTS = "报表查询"
    BOOK_SETUP = "参数设置"
    PEOPLE = "组织与权限"
    BASICS = "基础数据"
    RUNNING = "运行与日志"
