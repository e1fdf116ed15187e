"""项目全卷: all that the reader may see of a project as one PDF, masked as on his screens (10.3, product.md).

What is long is written beside the page and fetched from 我的下载; both ways make the same file.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from flask import current_app, flash, redirect
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from markupsafe import Markup
from sqlalchemy import select

from models.approval.approval import ApprovalInstance
from models.base.entity import STAMPS, Entity, PartOf, entity_of, fields_of, parts_of
from models.base.errors import BusinessError, NotFound
from models.guarantee.project import Project
from models.guarantee.signing import Contract
from models.system.organization import Company
from models.system.records import IssuedDocument
from reports.base.documents import Chapter, book_pdf
from reports.base.remarks import remarks_of
from reports.base.scope import is_visible, scoped
from reports.figures.approval_sheet import sheet
from views.kit import edge, exports, parts
from views.kit.cells import NONE, format_value
from views.kit.documents import send
from views.kit.files import file_name
from views.kit.interface import Titles, shape, valid_id
from views.kit.pages import Action, Cell, Column, Row, Section
from views.kit.record import STAMPED
from views.kit.record_print import HEADS, facts_of
from views.ledger.tab import vouchers_tab
from workflows.base import attachments, audit, plain_papers, records
from workflows.base.context import Ctx
from workflows.guarantee import contracts
from workflows.system.exports import Made, Told, Wish

KEY: Final = "dossier"
TITLE: Final = "项目全卷"
AT_ONCE: Final = 30_000  # characters that are laid out while somebody waits
IN_FULL: Final = 30  # records of a part that are printed one by one; more are a table
MOST: Final = parts.PRINTED_ROWS


@dataclass
class Printed:
    """A record on paper."""

    title: str
    groups: list[tuple[str, list[Any]]] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    said: str = ""
    text: Markup | None = None


class Dossier:
    """The chapters of one project for one reader."""

    def __init__(self, ctx: Ctx, project: Project) -> None:
        """The reader has been let to the project by now."""
        self.ctx, self.project = ctx, project
        self.titles = Titles(ctx.session)
        self.rows = 0

    def chapters(self) -> Iterator[Chapter]:
        """What there is, in the order of the project's page; what is empty has no chapter."""
        yield self._chapter("项目概况", [self._record(self.project)])
        customer = self.project.customer
        customer = self.ctx.session.get(entity_of("customer"), customer.id) or customer
        if self.ctx.actor.may("show", str(customer.__tablename__)) and is_visible(
            self.ctx.session, self.ctx.actor, customer
        ):
            whole = self._record(customer)
            sections = parts.whole_sections(self.ctx, customer, self.titles)
            whole.sections = [one for one in sections if one.key != "project"]  # its other business
            yield self._chapter("客户资料", [whole])
        for one in parts_of(Project).values():
            yield from self._part(one)
        if decided := self._decisions():
            yield self._chapter("审批", decided)
        for section in self._lists():
            if section.rows:
                label, section.label = section.label, ""
                yield self._chapter(label, sections=[section])

    def _chapter(
        self, title: str, found: Sequence[Printed] = (), sections: Sequence[Section] = ()
    ) -> Chapter:
        self.rows += len(found) + sum(len(section.rows) for section in sections)
        template = current_app.jinja_env.get_template("print_chapter.html")
        html = template.render(records=found, sections=sections, heads=HEADS, dash=NONE)
        return Chapter(title, html)

    def _record(self, found: Entity) -> Printed:
        return Printed(self.titles.of(found), facts_of(self.ctx, found, self.titles))

    def _told(self, row: Entity, one: PartOf) -> Printed:
        """A record of a part: without its project, which all have, its stamps, and what is empty."""
        whole = self._record(row)
        same = shape(one.model).label(one.link)
        whole.groups = [
            (label, kept)
            for label, facts in whole.groups
            if label != STAMPED and (kept := [f for f in facts if f[0] != same and f[1] != NONE])
        ]
        return whole

    def _part(self, one: PartOf) -> Iterator[Chapter]:
        """A part: each record in full with its own parts, or where there are many, or facts are not open, a table."""
        table, label = str(one.model.__tablename__), one.model.spec.label
        found = parts.rows_of(self.ctx, self.project, one, IN_FULL + 1)
        if not found:
            return
        is_small = len(set(shape(one.model).visible()) - set(STAMPS)) <= HEADS
        if is_small or len(found) > IN_FULL or not self.ctx.actor.may("show", table):
            section = parts.whole_section(self.ctx, self.project, one, self.titles)
            section.label = ""
            yield self._chapter(label, sections=[section])
            return
        printed = []
        for row in found:
            whole = self._told(row, one)
            whole.sections = parts.whole_sections(self.ctx, row, self.titles)
            if isinstance(row, Contract):
                whole.text, whole.said = contract_text(self.ctx, row)
            printed.append(whole)
        yield self._chapter(label, printed)

    def _decisions(self) -> list[Printed]:
        """审批单 of the project and its papers: what was put up, and each decision with its opinion and time."""
        query = select(ApprovalInstance).where(ApprovalInstance.project_id == self.project.id)
        query = scoped(query, ApprovalInstance, self.ctx.actor).order_by(ApprovalInstance.id)
        return [self._decision(one) for one in self.ctx.session.scalars(query.limit(MOST))]

    def _decision(self, one: ApprovalInstance) -> Printed:
        said = sheet(self.ctx.session, one)
        about = said["approval"]
        masked = {
            facts.label for facts in fields_of(entity_of(one.table_name)).values() if facts.mask
        }
        facts = [
            ("业务类型", about["business_type"]),
            ("审批结果", about["status"]),
            ("申请人", about["applicant"]),
            ("申请部门", about["department"]),
            ("提交时间", about["submitted_at"]),
            ("办结时间", about["finished_at"]),
        ]
        facts += [(f["label"], f["value"]) for f in said["fields"] if f["label"] not in masked]
        names = {
            "name": "节点",
            "position": "岗位",
            "approver": "审批人",
            "action": "结论",
            "opinion": "意见",
            "at": "时间",
        }
        decisions = Section("nodes", "审批记录", columns=[Column(*pair) for pair in names.items()])
        decisions.rows = [
            Row(str(n), "", tuple(Cell(str(node[name] or "")) for name in names))
            for n, node in enumerate(said["nodes"])
        ]
        return Printed(one.title, [("审批单", facts)], [decisions] if decisions.rows else [])

    def _lists(self) -> Iterator[Section]:
        """Vouchers, issued documents, files and remarks."""
        ctx, project = self.ctx, self.project
        if (vouchers := vouchers_tab(project, ctx)) is not None:
            yield vouchers
        if ctx.actor.may("list", "issued_document"):
            query = select(IssuedDocument).where(IssuedDocument.project_id == project.id)
            papers = ctx.session.scalars(
                scoped(query, IssuedDocument, ctx.actor).order_by(IssuedDocument.id).limit(MOST)
            ).all()
            rows = [
                (p.number, p.title, self.titles.text("employee", p.issued_by_id), p.issued_at)
                for p in papers
            ]
            yield _table("已出具文书", ("文书编号", "标题", "出具人", "出具时间"), rows)
        if ctx.actor.may("show", "attachment"):
            files = attachments.attachments_of(ctx.session, project)
            yield _table(
                "附件", ("文件", "上传时间"), [(f.original_name, f.uploaded_at) for f in files]
            )
        said = [(one.at, one.by, one.words) for one in remarks_of(ctx.session, project)]
        yield _table("备注与交办", ("时间", "人员", "内容"), said)


def _table(label: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> Section:
    section = Section("table", label, columns=[Column(head, head) for head in heads])
    section.rows = [
        Row(str(n), "", tuple(Cell(_words(value)) for value in row)) for n, row in enumerate(rows)
    ]
    return section


def _words(value: Any) -> str:
    return value if isinstance(value, str) else format_value(value, "datetime")


def contract_text(ctx: Ctx, contract: Contract) -> tuple[Markup | None, str]:
    """What a contract says: as issued where the reader may open that, else why not; before that its draft, masked."""
    paper = None
    if contract.document_id is not None:
        paper = ctx.session.get(IssuedDocument, contract.document_id)
    if paper is not None:
        why = plain_papers.why_closed(ctx, paper)
        if not ctx.actor.may("show", "issued_document"):
            why = "您没有查看文书的权限，未打印合同文本"
        return (None, why) if why else (Markup(paper.body), "")  # noqa: S704 - sanitised when printed
    try:
        found = contracts.draft(ctx, contract)
    except BusinessError as error:
        return None, f"暂不能生成样稿：{error.message}"
    return Markup(found.shown), "样稿，尚未出具"  # noqa: S704 - likewise


# -------------------------------------------------------------------------------------------------------- making it
def _front(ctx: Ctx, project: Project) -> list[tuple[str, str]]:
    return [
        ("项目编号", project.number),
        ("客户", project.customer.name),
        ("产品", project.product.name),
        ("金额", f"{format_value(project.amount, 'money')} 元"),
        ("项目状态", f"{project.state.label} · {project.stage.label}"),
        ("打印人", ctx.actor.name),
        ("打印时间", str(format_value(ctx.now, "datetime"))),
        ("营业日期", str(ctx.today)),
    ]


def _printed(ctx: Ctx, project: Project, chapters: Sequence[Chapter]) -> bytes:
    company = ctx.session.scalars(select(Company).order_by(Company.id).limit(1)).first()
    return book_pdf(
        chapters,
        title=f"{TITLE} {project.number}",
        head=company.full_name if company else "",
        front=_front(ctx, project),
    )


def _log(ctx: Ctx, project: Project) -> None:
    """Who took the whole file, and each paper with personal data that it holds."""
    audit.log(ctx, project, "EXPORT", note=f"打印{TITLE}")
    query = select(IssuedDocument).join(Contract, Contract.document_id == IssuedDocument.id)
    query = query.where(Contract.project_id == project.id)
    for paper in ctx.session.scalars(scoped(query, IssuedDocument, ctx.actor)).all():
        if ctx.actor.may("show", "issued_document") and not plain_papers.why_closed(ctx, paper):
            plain_papers.log_opening(ctx, paper)


def begin(key: int) -> None:
    """Put it into the queue of 我的下载."""
    with edge.writing() as mine:
        project = _found(mine, key)
        _log(mine, project)
        wish = Wish(
            "project",
            f"{KEY}={project.id}",
            title=f"{TITLE} {project.number}",
            conditions=project.customer.name,
            file_format="pdf",
        )
        exports.queue(mine, wish)


def write(ctx: Ctx, key: int, path: Path, told: Told) -> Made:
    """Write it beside the page."""
    dossier = Dossier(ctx, _found(ctx, key))
    chapters = []
    for one in dossier.chapters():
        chapters.append(one)
        told(min(5 + len(chapters), 30))
    path.write_bytes(_printed(ctx, dossier.project, chapters))
    return Made(path, dossier.rows)


exports.WHOLES[KEY] = exports.Whole(begin, write)


def _found(ctx: Ctx, key: object) -> Project:
    ctx.require("show", "project", "查看担保项目")
    ctx.require("export", "project", f"打印{TITLE}")
    return records.find(ctx, Project, key)


def action(ctx: Ctx, project: Project) -> list[Action]:
    """The entry of the project's page."""
    if not ctx.actor.may("export", "project"):
        return []
    return [Action(f"{TITLE} PDF", f"/dossier/{project.id}", "POST", icon="print", new_window=True)]


class DossierView(BaseView):
    """/dossier/<id>: the whole project as one PDF, at once or by 我的下载; sent, as it is logged and may queue."""

    route_base = "/dossier"
    default_view = "page"
    title = TITLE

    @expose("/<pk>", methods=("POST",))
    @edge.screen()
    def page(self, pk: str) -> ResponseReturnValue:
        """The PDF; what is long is written beside the page."""
        key = valid_id(pk)
        if key is None:
            raise NotFound
        ctx = edge.current_ctx()
        dossier = Dossier(ctx, _found(ctx, key))
        chapters = list(dossier.chapters())
        if sum(len(one.html) for one in chapters) > AT_ONCE:
            begin(key)
            flash(f"{TITLE}内容较多，正在后台生成，完成后在此下载", "success")
            return redirect(exports.URL)
        data = _printed(ctx, dossier.project, chapters)
        number, today = dossier.project.number, ctx.today
        with edge.writing() as mine:
            _log(mine, _found(mine, key))
        name = file_name(f"{TITLE}_{number}", today, "pdf")
        return send(io.BytesIO(data), "application/pdf", name, inline=True)
