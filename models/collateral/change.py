"""押品变更 (7.4): a part of an asset set free, or another put in its place, by a paper that is approved."""

from decimal import Decimal

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.paper import PaperState
from models.base.rights import WRITE
from models.base.rows import MANAGER, decided, numbered
from models.collateral.asset import KEEPER, Collateral
from models.collateral.pledge import CollateralPledge
from models.guarantee.paper import ProjectPaper
from models.guarantee.project import Stage


class PledgeChangeKind(Kind):
    """What becomes of the asset that stands behind the project."""

    REDUCE = "部分解除"
    RELEASE = "全部解除"
    REPLACE = "置换"


class PledgeChange(ProjectPaper):
    """押品变更: a project in force gives up a part of its cover, or takes another asset for it."""

    spec = Spec(
        "押品变更",
        Module.COLLATERAL,
        SpecKind.DOCUMENT,
        group=MenuGroup.COLLATERAL_FILES,
        rank=25,
        title="number",
        roles={KEEPER: WRITE},
        listed=(
            "number",
            "project",
            "kind",
            "pledge",
            "kept_amount",
            "new_collateral",
            "new_amount",
            "state",
        ),
        searched=("number",),
        filtered=("project_id", "kind", "state"),
        on_sheet=("reason",),
        scope=Scope(through="project"),
        state="state",
        drafts=(PaperState.DRAFT,),
        seeds=(
            *numbered("pledge_change", "押品变更编号", "YB{yyyy}-{no:04d}"),
            *decided(
                "collateral.change", "押品变更", ("部门经理审核", MANAGER), ("风控审批", "risk")
            ),
        ),
        news=News(made=("申请押品变更：", "{kind}")),
    )
    __table_args__ = (
        CheckConstraint("kept_amount is null or kept_amount > 0", name="ck_pledge_change_kept"),
        CheckConstraint("new_amount is null or new_amount > 0", name="ck_pledge_change_new"),
    )
    number_label = "变更编号"
    part = c.Part(26, since=Stage.IN_FORCE, adds=(Stage.IN_FORCE,))
    kind: Mapped[PledgeChangeKind] = c.enum("变更种类", PledgeChangeKind, required=True, index=True)
    pledge_id: Mapped[int] = c.reference(
        "设押记录", "collateral_pledge", required=True, ondelete="NO ACTION", part=c.Part(30)
    )
    pledge: Mapped[CollateralPledge] = c.related(pledge_id)
    kept_amount: Mapped[Decimal | None] = c.money("保留占用价值", help="部分解除填写")
    new_collateral_id: Mapped[int | None] = c.reference("换入押品", "collateral", help="置换填写")
    new_collateral: Mapped[Collateral | None] = c.related(new_collateral_id)
    new_amount: Mapped[Decimal | None] = c.money("换入占用价值", help="置换填写")
    reason: Mapped[str] = c.long_text("变更原因", required=True)
