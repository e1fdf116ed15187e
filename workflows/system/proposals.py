"""四眼发布 (X15): a change of the configuration that somebody makes and somebody else publishes.

The change runs as always, with its rights and rules, and is taken back at the end; what it would have made is kept as
a proposal. Publishing brings the configuration to that content by the same verbs, so nothing holds before.
"""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed
from models.system.configuration import ConfigProposal, ProposalState, VersionAct
from models.system.setup import Parameter
from reports.figures import parameters
from reports.figures.configuration import Thing, kinds, right_to_change
from reports.figures.configuration_changes import changes, in_words
from reports.figures.rights import who_may
from workflows.base import records, versions
from workflows.base.context import Ctx, Published
from workflows.base.transition import Step, enter, move, steps
from workflows.base.versions import Changed
from workflows.system import configuration

IS_ON: Final = "config.four_eyes"
KINDS: Final = "config.four_eyes_kinds"
_SWITCH: Final = Thing("parameter", (IS_ON,))
_RANGE: Final = Thing("parameter", (KINDS,))
_ROLES = ("系统管理员", "安全管理员", "财务主管")


def _step(verb: str, label: str, target: ProposalState) -> Step:
    return Step(
        "config_proposal",
        verb,
        label,
        column="state",
        sources=(ProposalState.PENDING,),
        targets=(target,),
        is_work=False,
        roles=_ROLES,
    )


STEPS: Final = steps(
    _step("publish", "发布", ProposalState.DONE),
    _step("refuse", "拒绝", ProposalState.REFUSED),
    _step("withdraw", "撤回", ProposalState.WITHDRAWN),
)


class Held(Exception):
    """A transaction changed configuration that a second person must publish; it is to be taken back and proposed."""

    def __init__(self, found: list[Changed]) -> None:
        """`found` is all that it changed."""
        super().__init__()
        self.found = found


def hold(ctx: Ctx) -> None:
    """Raise Held where what the transaction has changed must be published by a second person."""
    if ctx.actor.employee_id is None or getattr(ctx.published, "is_second", False):
        return
    touched = versions.touched(ctx.session)
    if not touched:
        return
    is_on = parameters.flag(ctx.session, IS_ON, ctx.today)
    if is_on or _SWITCH in touched:
        found = versions.changed(ctx.session)
        if any(_needs_second(ctx, one) for one in found):
            raise Held(found)


def _needs_second(ctx: Ctx, one: Changed) -> bool:
    """As the parameters were before the change: nobody switches them off alone."""
    session = ctx.session
    is_on = parameters.flag(session, IS_ON, ctx.today)
    if one.thing == _SWITCH:
        is_on = any(row["values"].get("value") == "是" for row in one.before)
    if not is_on or one.thing in (_SWITCH, _RANGE):
        return is_on
    return kinds()[one.thing.table] in _chosen(parameters.value(session, KINDS, ctx.today))


def _chosen(text: str) -> list[str]:
    return [
        word.strip()
        for word in text.replace("，", "、").replace(",", "、").split("、")
        if word.strip()
    ]


def propose(ctx: Ctx, found: Iterable[Changed]) -> list[ConfigProposal]:
    """Keep changes until somebody else decides on them. Raises Conflict where one of the same thing waits already."""
    made, said = [], ctx.published or Published(reason=ctx.reason)
    for one in found:
        _refuse_second(ctx, one)
        table = one.thing.table
        made.append(
            ConfigProposal(
                table_name=table,
                record_id=one.record_id if one.before else None,
                object_key=one.name,
                title=versions.title_of(one)[:200],
                act=VersionAct.RESTORE if said.is_restored else one.act,
                summary=in_words(changes(ctx.session, table, one.before, one.after)),
                proposed_by_id=ctx.actor.employee_id,
                proposed_at=ctx.now,
                reason=said.reason[:200] or None,
                before=one.before,
                content=one.after,
            )
        )
    ctx.session.add_all(made)
    ctx.session.flush()
    return made


def _refuse_second(ctx: Ctx, one: Changed) -> None:
    waiting = ctx.session.scalars(
        select(ConfigProposal).where(
            ConfigProposal.table_name == one.thing.table,
            ConfigProposal.object_key == one.name,
            ConfigProposal.state == ProposalState.PENDING,
        )
    ).first()
    if waiting is not None:
        who = waiting.proposed_by.name
        raise Conflict(
            f"“{waiting.title}”已有{who}提交的变更待发布，请先发布、拒绝或撤回那一次变更"
        )


def publish(ctx: Ctx, proposal: ConfigProposal, version: int | None = None) -> ConfigProposal:
    """Let a proposed change hold, by the verbs of a usual change.

    Raises NotAllowed for one's own, Conflict where the configuration was changed since, and what the verbs raise.
    """
    enter(ctx, STEPS["publish"], proposal, version)
    _refuse_own(ctx, proposal, "发布")
    now = configuration.standing(
        ctx, proposal.table_name, proposal.record_id, [*proposal.before, *proposal.content]
    )
    if now.content != proposal.before:
        since = in_words(changes(ctx.session, proposal.table_name, proposal.before, now.content))
        raise Conflict(f"提交之后“{proposal.title}”已被修改（{since}），请拒绝后重新提交")
    ctx.published = Published(
        proposal.proposed_by_id,
        proposal.reason or "",
        is_restored=proposal.act is VersionAct.RESTORE,
        is_second=True,
    )
    configuration.apply(ctx, proposal.table_name, proposal.record_id, proposal.content)
    return _decide(ctx, proposal, "publish")


def refuse(
    ctx: Ctx, proposal: ConfigProposal, reason: str, version: int | None = None
) -> ConfigProposal:
    """Turn a proposed change down; who proposed it withdraws it instead."""
    enter(ctx, STEPS["refuse"], proposal, version)
    _refuse_own(ctx, proposal, "拒绝")
    ctx.require(*right_to_change(proposal.table_name), f"修改{kinds()[proposal.table_name]}")
    if not reason.strip():
        raise BusinessError("请填写拒绝原因", field="reason")
    proposal.refusal = reason.strip()[:200]
    return _decide(ctx, proposal, "refuse")


def withdraw(ctx: Ctx, proposal: ConfigProposal, version: int | None = None) -> ConfigProposal:
    """Take one's own change back."""
    enter(ctx, STEPS["withdraw"], proposal, version)
    if proposal.proposed_by_id != ctx.actor.employee_id:
        raise NotAllowed("只有提交人可以撤回")
    return _decide(ctx, proposal, "withdraw")


def _refuse_own(ctx: Ctx, proposal: ConfigProposal, verb: str) -> None:
    if proposal.proposed_by_id == ctx.actor.employee_id:
        raise NotAllowed(f"这是您本人提交的变更，须由另一人{verb}；不再需要时可以撤回")


def _decide(ctx: Ctx, proposal: ConfigProposal, verb: str) -> ConfigProposal:
    move(STEPS[verb], proposal)
    proposal.decided_by_id, proposal.decided_at = ctx.actor.employee_id, ctx.now
    ctx.session.flush()
    return proposal


# ---------------------------------------------------------------------------------------------------- the parameters
@records.rule(Parameter)
def check_four_eyes(ctx: Ctx, parameter: Parameter, is_new: bool) -> None:
    """Kinds are known by their names, and of each that needs a second person there is one."""
    del is_new
    if parameter.code not in (IS_ON, KINDS):
        return
    is_own = parameter.code == KINDS
    text = (parameter.value or "") if is_own else parameters.value(ctx.session, KINDS, ctx.today)
    known = {label: table for table, label in kinds().items()}
    chosen = _chosen(text)
    if unknown := [word for word in chosen if word not in known]:
        said = f"没有“{'、'.join(unknown)}”这种配置，可选：{'、'.join(known)}"
        raise FieldErrors({"value": [said]})
    is_on = parameters.flag(ctx.session, IS_ON, ctx.today) if is_own else parameter.value == "是"
    if is_on and (alone := [word for word in chosen if _is_alone(ctx.session, known[word])]):
        said = f"能修改并发布{'、'.join(alone)}的不足两人，提交后将无人发布；请先为另一人分配角色"
        raise FieldErrors({"value": [said]})


def _is_alone(session: Session, table: str) -> bool:
    """Whether fewer than two people may change and publish this kind."""
    mine = {one.actor.employee_id for one in who_may(session, *right_to_change(table))}
    publishers = {one.actor.employee_id for one in who_may(session, *STEPS["publish"].permission)}
    return len(mine & publishers) < 2
