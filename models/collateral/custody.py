"""出入库 (7.1): papers that bring certificates in, hand them out, lend and take them back; and the ledger of it."""

from datetime import date

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.paper import Paper, PaperState
from models.base.rights import WRITE
from models.base.rows import MANAGER, decided, numbered
from models.collateral.asset import KEEPER, Collateral, CollateralCertificate, CustodyState
from models.collateral.kind import StoragePlace
from models.system.organization import Employee


class CustodyKind(Kind):
    """What happens to the originals."""

    IN = "入库"
    OUT = "出库"
    LEND = "借出"
    BACK = "归还"

    @property
    def source(self) -> CustodyState:
        """Where a certificate is before it."""
        return {
            CustodyKind.IN: CustodyState.OUTSIDE,
            CustodyKind.OUT: CustodyState.STORED,
            CustodyKind.LEND: CustodyState.STORED,
            CustodyKind.BACK: CustodyState.LENT,
        }[self]

    @property
    def target(self) -> CustodyState:
        """Where it is afterwards."""
        return {
            CustodyKind.IN: CustodyState.STORED,
            CustodyKind.OUT: CustodyState.GONE,
            CustodyKind.LEND: CustodyState.LENT,
            CustodyKind.BACK: CustodyState.STORED,
        }[self]

    @property
    def needs_place(self) -> bool:
        """Whether the originals come to lie somewhere."""
        return self.target is CustodyState.STORED


class CustodyPaper(Paper):
    """出入库单: approved, then carried out by the keeper on a day, at a place."""

    spec = Spec(
        "出入库单",
        Module.COLLATERAL,
        SpecKind.DOCUMENT,
        group=MenuGroup.COLLATERAL_FILES,
        rank=70,
        title="number",
        roles={KEEPER: WRITE},
        listed=(
            "number",
            "kind",
            "collateral",
            "certificate",
            "counterparty",
            "due_on",
            "done_on",
            "place",
            "state",
        ),
        searched=("number", "counterparty"),
        filtered=("collateral_id", "kind", "state", "due_on", "done_on"),
        on_sheet=("reason",),
        scope=Scope(through="collateral"),
        state="state",
        drafts=(PaperState.DRAFT,),
        seeds=(
            *numbered("custody_paper", "出入库编号", "CR{yyyy}-{no:04d}"),
            *decided(
                "collateral.move",
                "押品出入库",
                ("部门经理审核", MANAGER),
                ("押品管理审批", "collateral"),
            ),
        ),
    )
    __table_args__ = (
        CheckConstraint(
            "kind <> 'LEND' or (borrower_id is not null and due_on is not null)",
            name="ck_custody_paper_lend",
        ),
        CheckConstraint("done_on is null or state = 'APPROVED'", name="ck_custody_paper_done"),
    )
    number_label = "单据编号"
    collateral_id: Mapped[int] = c.reference("押品", "collateral", required=True, part=c.Part(60))
    collateral: Mapped[Collateral] = c.related(collateral_id)
    kind: Mapped[CustodyKind] = c.enum("类别", CustodyKind, required=True, index=True)
    certificate_id: Mapped[int | None] = c.reference(
        "权证", "collateral_certificate", help="不选为这个押品的全部权证"
    )
    certificate: Mapped[CollateralCertificate | None] = c.related(certificate_id)
    counterparty: Mapped[str | None] = c.text("交件人 / 领取人", 60)
    borrower_id: Mapped[int | None] = c.reference("借用人", "employee", help="借出时填写")
    borrower: Mapped[Employee | None] = c.related(borrower_id)
    due_on: Mapped[date | None] = c.day("应还日期", index=True, help="借出时填写")
    reason: Mapped[str] = c.long_text("事由", required=True)
    is_follow_up: Mapped[bool] = c.computed(
        c.flag("系统起草", help="解保、终止后由系统起草的出库单")
    )
    place_id: Mapped[int | None] = c.computed(c.reference("库位", "storage_place"))
    place: Mapped[StoragePlace | None] = c.related(place_id)
    done_on: Mapped[date | None] = c.computed(c.day("办理日期", index=True))
    done_by_id: Mapped[int | None] = c.computed(c.reference("经办人", "employee"))
    done_by: Mapped[Employee | None] = c.related(done_by_id)


class CustodyMove(Entity):
    """出入库台账: one original, from where to where, on which day, on which paper."""

    spec = Spec(
        "出入库台账",
        Module.COLLATERAL,
        SpecKind.LEDGER,
        group=MenuGroup.COLLATERAL_QUERY,
        rank=200,
        title="moved_on",
        order="-id",
        listed=(
            "moved_on",
            "kind",
            "collateral",
            "certificate",
            "paper",
            "place",
            "holder",
            "done_by",
        ),
        filtered=("moved_on", "kind", "collateral_id", "certificate_id", "place_id", "holder_id"),
        scope=Scope(through="collateral"),
    )
    certificate_id: Mapped[int] = c.reference(
        "权证", "collateral_certificate", required=True, part=c.Part(10)
    )
    certificate: Mapped[CollateralCertificate] = c.related(certificate_id)
    collateral_id: Mapped[int] = c.reference("押品", "collateral", required=True, part=c.Part(70))
    collateral: Mapped[Collateral] = c.related(collateral_id)
    paper_id: Mapped[int] = c.reference("单据", "custody_paper", required=True, part=c.Part(20))
    paper: Mapped[CustodyPaper] = c.related(paper_id)
    kind: Mapped[CustodyKind] = c.enum("类别", CustodyKind, required=True, index=True)
    moved_on: Mapped[date] = c.day("日期", required=True, index=True)
    place_id: Mapped[int | None] = c.reference("库位", "storage_place")
    place: Mapped[StoragePlace | None] = c.related(place_id)
    holder_id: Mapped[int | None] = c.reference("持有人", "employee")
    holder: Mapped[Employee | None] = c.related(holder_id)
    done_by_id: Mapped[int | None] = c.reference("经办人", "employee")
    done_by: Mapped[Employee | None] = c.related(done_by_id)
