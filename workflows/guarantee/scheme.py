"""4.10 分险方案: drawn up, put into use once all of it agrees, followed by a new version, closed."""

from decimal import Decimal
from typing import Any, Final

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import InstanceState

from models.base.entity import STAMPS, columns_of
from models.base.errors import BusinessError, Conflict, FieldErrors
from models.customer.partner import GuaranteeCompany, PartnerRole
from models.guarantee.scheme import (
    SchemeBank,
    SchemeProduct,
    SchemeRule,
    SchemeShare,
    SchemeState,
    SharingParty,
    SharingScheme,
)
from reports.figures.configuration import Content, unnumbered
from reports.figures.parameters import number
from reports.figures.sharing import is_valid_on
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.transition import Step, Verb, enter, move, permit, steps
from workflows.system import configuration

STEPS: Final = steps(
    Step(
        "sharing_scheme",
        "enable",
        "启用",
        column="state",
        sources=(SchemeState.DRAFT,),
        targets=(SchemeState.ACTIVE,),
        roles=("系统管理员",),
    ),
    Step(
        "sharing_scheme",
        "retire",
        "停用",
        column="state",
        sources=(SchemeState.ACTIVE,),
        targets=(SchemeState.RETIRED,),
        roles=("系统管理员",),
    ),
)
NEW_VERSION: Final = Verb("sharing_scheme", "add", "建立新版本")
HUNDRED: Final = Decimal(100)
_PARTS: Final = ("shares", "banks", "products", "rules")
_OWN: Final = (*STAMPS, "state", "enabled_on", "version_no", "scheme_id")


@records.rule(SharingScheme)
def check_scheme(ctx: Ctx, scheme: SharingScheme, is_new: bool) -> None:
    """A code names one scheme: another one that came under it would close it as its new version."""
    if scheme.valid_to is not None and scheme.valid_to < scheme.valid_from:
        raise FieldErrors({"valid_to": [f"有效期至不能早于 {scheme.valid_from}"]})
    same = select(SharingScheme.id).where(
        SharingScheme.code == scheme.code, SharingScheme.id != (scheme.id or 0)
    )
    state: InstanceState[SharingScheme] = inspect(scheme)
    is_asked = is_new or state.attrs.code.history.has_changes()
    if is_asked and ctx.session.scalar(same.limit(1)) is not None:
        raise FieldErrors({"code": ["方案编码已存在；修改已有方案请用“建立新版本”"]})


@records.rule(SchemeShare)
def check_share(ctx: Ctx, share: SchemeShare, is_new: bool) -> None:
    """A re-guarantor is a company that re-guarantees; nobody else has one; the bank gets nothing of the fee."""
    del is_new
    wrong: dict[str, list[str]] = {}
    company = share.company_id and ctx.session.get_one(GuaranteeCompany, share.company_id)
    if share.party.is_reguarantor and not company:
        wrong["company_id"] = [f"请选择{share.party.label}的公司"]
    if company and (not share.party.is_reguarantor or company.role is not PartnerRole.RE_GUARANTEE):
        wrong["company_id"] = ["只有省再担保、国担填写，且应为合作方式是“再担保”的公司"]
    if share.party is SharingParty.BANK and share.fee_share_pct:
        wrong["fee_share_pct"] = ["银行不参与保费分成，请填 0"]
    if wrong:
        raise FieldErrors(wrong)


@records.rule(SchemeBank)
def check_bank(ctx: Ctx, entry: SchemeBank, is_new: bool) -> None:
    """What was there before the system says as of when; 解除 contains 代偿."""
    del is_new
    wrong: dict[str, list[str]] = {}
    if entry.breaker_pct <= 0:
        wrong["breaker_pct"] = ["代偿率上限应大于 0"]
    if entry.opening_released < entry.opening_compensated:
        wrong["opening_released"] = ["期初解除含代偿，不能小于期初代偿"]
    if entry.opening_released and entry.opening_on is None:
        wrong["opening_on"] = ["请填写期初数截至哪一天"]
    if entry.opening_on is not None and entry.opening_on > ctx.today:
        wrong["opening_on"] = ["期初截止日不能晚于营业日期"]
    if wrong:
        raise FieldErrors(wrong)


def missing(ctx: Ctx, scheme: SharingScheme) -> list[str]:
    """What keeps a version from being put into use, each in words."""
    parties = {share.party for share in scheme.shares}
    found = [
        f"缺少“{party.label}”的比例"
        for party in (SharingParty.BANK, SharingParty.OWN)
        if party not in parties
    ]
    for name, label in (("share_pct", "分担比例"), ("fee_share_pct", "保费分成比例")):
        total = sum((getattr(share, name) for share in scheme.shares), Decimal(0))
        if total != HUNDRED:
            found.append(f"{label}合计为 {total.normalize():f}%，应为 100%")
    least = number(ctx.session, "bank.share_min_pct", ctx.today)
    banks = [one.share_pct for one in scheme.shares if one.party is SharingParty.BANK]
    if banks and banks[0] < least:
        found.append(f"银行分担比例不得低于 {least.normalize():f}%")
    if not scheme.banks:
        found.append("没有适用银行")
    if not scheme.products:
        found.append("没有适用产品")
    if scheme.valid_to is not None and scheme.valid_to < ctx.today:
        found.append(f"有效期至 {scheme.valid_to} 已过")
    # Put into use it closes the former, and until its first day there would be no scheme.
    in_use = _versions(ctx, scheme, SchemeState.ACTIVE)
    if scheme.valid_from > ctx.today and any(is_valid_on(one, ctx.today) for one in in_use):
        words = f"有效期自 {scheme.valid_from} 起，提前启用会停用在用的版本 {in_use[0].version_no}"
        found.append(f"{words}，请到当日再启用")
    return found


def why_not(ctx: Ctx, scheme: SharingScheme) -> str:
    """`missing` as a button says it."""
    return "；".join(missing(ctx, scheme))


def enable(ctx: Ctx, scheme: SharingScheme, version: int | None = None) -> SharingScheme:
    """Put a version into use; the one before is closed, its projects stay under it.

    Raises BusinessError with all that does not agree yet: shares that are not 100 % to the last place above all.
    """
    step = STEPS["enable"]
    enter(ctx, step, scheme, version)
    scheme = records.find(ctx, SharingScheme, scheme.id, lock=True)
    ctx.session.expire(scheme, _PARTS)
    if found := missing(ctx, scheme):
        raise BusinessError(f"分险方案“{scheme}”不能启用：" + "；".join(found))
    for former in _versions(ctx, scheme, SchemeState.ACTIVE):
        move(STEPS["retire"], former)
    ctx.session.flush()
    with ctx.session.no_autoflush:
        move(step, scheme)
        scheme.enabled_on = ctx.today
    ctx.session.flush()
    return scheme


def retire(ctx: Ctx, scheme: SharingScheme, version: int | None = None) -> SharingScheme:
    """Take a scheme out of use; projects that are under it stay so."""
    enter(ctx, STEPS["retire"], scheme, version)
    move(STEPS["retire"], scheme)
    ctx.session.flush()
    return scheme


def new_version(ctx: Ctx, scheme: SharingScheme) -> SharingScheme:
    """Copy a version with all that belongs to it into a draft."""
    permit(ctx, NEW_VERSION)
    if drafts := _versions(ctx, scheme, SchemeState.DRAFT):
        raise Conflict(
            f"分险方案“{scheme.name}”已有草稿版本 {drafts[0].version_no}，请先启用或删除"
        )
    newest = select(func.max(SharingScheme.version_no)).where(SharingScheme.code == scheme.code)
    copy = SharingScheme(**_content(scheme), version_no=(ctx.session.scalar(newest) or 0) + 1)
    copy.shares = [SchemeShare(**_content(part)) for part in scheme.shares]
    copy.banks = [SchemeBank(**_content(part)) for part in scheme.banks]
    copy.products = [SchemeProduct(**_content(part)) for part in scheme.products]
    copy.rules = [SchemeRule(**_content(part)) for part in scheme.rules]
    ctx.session.add(copy)
    ctx.session.flush()
    return copy


def _content(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in columns_of(type(record)) if name not in _OWN}


def _versions(ctx: Ctx, scheme: SharingScheme, state: SchemeState) -> list[SharingScheme]:
    query = select(SharingScheme).where(
        SharingScheme.code == scheme.code,
        SharingScheme.state == state,
        SharingScheme.id != scheme.id,
    )
    return list(ctx.session.scalars(query))


@configuration.applies(SharingScheme)
def _apply(ctx: Ctx, record_id: int | None, content: Content) -> None:
    """Put into use what a version of the configuration says: the draft that says it, or one made for it."""
    now = None if record_id is None else ctx.session.get(SharingScheme, record_id)
    code = content[0]["values"]["code"] if content else getattr(now, "code", "")
    mine = select(SharingScheme).where(SharingScheme.code == code)
    newest_first = mine.order_by(SharingScheme.version_no.desc())
    in_use = ctx.session.scalars(mine.where(SharingScheme.state == SchemeState.ACTIVE)).first()
    if not content:
        assert in_use is not None, "what is not in force says nothing already"
        retire(ctx, in_use)
        return
    draft = ctx.session.scalars(mine.where(SharingScheme.state == SchemeState.DRAFT)).first()
    if draft is None or configuration.rows_of(ctx, draft) != unnumbered(SharingScheme, content):
        if draft is not None:
            raise Conflict(f"分险方案“{draft.name}”有草稿版本 {draft.version_no}，请先启用或删除")
        newest = in_use or ctx.session.scalars(newest_first).first()
        if newest is None:
            raise Conflict("这个分险方案已全部删除，不能恢复；请新建方案")
        draft = new_version(ctx, newest)
        configuration.bring(ctx, draft, content[0])
    enable(ctx, draft)
