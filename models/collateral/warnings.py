"""The warning rules of collateral (domain.md 4), as base data; workflows/collateral/warning.py looks for each."""

from models.base.rows import SeedRow

_RULES = (
    ("collateral_drop", "押品现值下降", "SERIOUS", "10,20", "RISK", "比设押时评估价值下降的百分数"),
    ("collateral_short", "押品价值不足", "SERIOUS", "0", "RISK", "占用价值超过评估价值 × 抵押率"),
    (
        "collateral_cover",
        "反担保覆盖率低",
        "SERIOUS",
        "70",
        "RISK",
        "覆盖率的百分数；产品要求更低的按产品",
    ),
    ("certificate_due", "权证到期", "ATTENTION", "30", "MANAGER", "距权证有效期的天数"),
    ("registration_due", "抵质押登记到期", "SERIOUS", "30", "MANAGER", "距登记到期日的天数"),
    (
        "insurance_due",
        "押品保险到期",
        "ATTENTION",
        "30",
        "MANAGER",
        "距保险到期日的天数；应投保而没有的也预警",
    ),
    ("custody_late", "权证借出逾期", "ATTENTION", "1,15", "MANAGER", "超过应还日期的天数"),
    ("certificate_out", "权证未入库", "ATTENTION", "15", "MANAGER", "放款后的天数"),
    ("watch_late", "押品监管逾期", "ATTENTION", "1,15", "MANAGER", "超过应监管日期的天数"),
    ("valuation_old", "押品估值到期", "ATTENTION", "30", "MANAGER", "距应重估日期的天数"),
    ("collateral_seized", "押品查封或涉诉", "SERIOUS", "0", "RISK", "押品登记了查封、涉诉情况"),
)


def rules() -> tuple[SeedRow, ...]:
    """The rules with their first thresholds."""
    names = ("code", "label", "level", "days", "owner_role", "note")
    return tuple(
        SeedRow(
            "warning_rule",
            {
                **dict(zip(names, row, strict=True)),
                "handle_days": "5",
                "rank": str(200 + 10 * rank),
            },
        )
        for rank, row in enumerate(_RULES)
    )
