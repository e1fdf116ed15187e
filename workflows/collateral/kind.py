"""押品设置 (10.4): a kind of collateral brings its entry in the dictionary, its cap and the fields of its own."""

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base.errors import BusinessError, FieldErrors
from models.base.kinds import Module
from models.collateral.kind import CollateralType
from models.system.custom_field import CustomField, CustomKind
from models.system.setup import DictionaryItem, DictionaryType, Parameter, ValueKind
from reports.figures import collateral
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.transition import enter, verbs

ACTS = verbs("collateral_type", {"add_field": "增加要素"}, is_work=False, roles=("系统管理员",))
_DICTIONARY = "collateral_kind"


@records.rule(CollateralType)
def check_type(ctx: Ctx, kind: CollateralType, is_new: bool) -> None:
    """The usual rate stays within the cap; the dictionary that counter-guarantees choose from follows the kinds."""
    if is_new:
        _bring_cap(ctx, kind)
    elif "code" in audit.changes_of(kind):
        raise FieldErrors({"code": ["种类编码保存后不能修改"]})
    most = collateral.cap(ctx.session, kind.code, ctx.today)
    if kind.rate_pct > most:
        raise FieldErrors({"rate_pct": [f"不能超过抵押率上限 {most.normalize():f}%"]})
    item = _item(ctx.session, kind.code)
    if item is None:
        owner = ctx.session.scalars(
            select(DictionaryType).where(DictionaryType.code == _DICTIONARY)
        ).one()
        item = DictionaryItem(dictionary_type=owner, code=kind.code)
        ctx.session.add(item)
    item.label, item.rank, item.is_active = kind.name, kind.rank, kind.is_active


@records.delete_rule(CollateralType)
def drop_item(ctx: Ctx, kind: CollateralType) -> None:
    """What no asset is of is offered to no counter-guarantee either; old ones keep its name."""
    if fields_of_kind(ctx.session, kind):
        raise BusinessError(f"“{kind}”已定义要素，请先在“自定义字段”中删除")
    if (item := _item(ctx.session, kind.code)) is not None:
        item.is_active = False


def _item(session: Session, code: str) -> DictionaryItem | None:
    return session.scalars(
        select(DictionaryItem)
        .join(DictionaryType)
        .where(DictionaryType.code == _DICTIONARY, DictionaryItem.code == code)
    ).one_or_none()


def _bring_cap(ctx: Ctx, kind: CollateralType) -> None:
    """A new kind begins with its usual rate as the cap; the parameter is changed by its date afterwards."""
    code = f"collateral.rate.{kind.code}"
    if ctx.session.scalar(select(Parameter.id).where(Parameter.code == code).limit(1)) is None:
        ctx.session.add(
            Parameter(
                code=code,
                label=f"{kind.name}抵质押率上限",
                value=f"{kind.rate_pct.normalize():f}",
                value_kind=ValueKind.PERCENT,
                unit="%",
                effective_on=date(2000, 1, 1),
                module=Module.COLLATERAL_SETUP,
                note="认定价值 = 评估价值 × 比率；登记反担保时比率超过此数不能保存",
            )
        )
        ctx.session.flush()


def only_for(kind: CollateralType) -> str:
    """The condition under which a field is asked for: for assets of this kind."""
    return f"押品种类的种类编码 = “{kind.code}”"


def fields_of_kind(session: Session, kind: CollateralType) -> list[CustomField]:
    """The fields that are asked of assets of a kind alone."""
    query = select(CustomField).where(
        CustomField.table_name == "collateral", CustomField.visible_if == only_for(kind)
    )
    return list(session.scalars(query.order_by(CustomField.rank, CustomField.id)))


def add_field(
    ctx: Ctx,
    kind: CollateralType,
    label: str,
    field_kind: CustomKind,
    *,
    unit: str | None = None,
    is_required: bool = False,
    version: int | None = None,
) -> CustomField:
    """Ask one more thing of assets of this kind, from the next form on."""
    enter(ctx, ACTS["add_field"], kind, version)
    if field_kind in (CustomKind.DICTIONARY, CustomKind.REFERENCE):
        raise FieldErrors({"field_kind": ["字典、引用请在“自定义字段”中设置"]})
    last = ctx.session.scalar(select(func.max(CustomField.id))) or 0
    values = {
        "table_name": "collateral",
        "code": f"own_{last + 1}",
        "label": label,
        "kind": field_kind,
        "unit": unit,
        "group": "种类要素",
        "visible_if": only_for(kind),
        "is_required": is_required,
        "rank": 500 + len(fields_of_kind(ctx.session, kind)),
    }
    return records.create(ctx, CustomField, values)
