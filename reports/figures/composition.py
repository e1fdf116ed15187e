"""What a project of a product will go through (办理概览), in sentences, and what the product still lacks (10.3)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.approval.approval import ApprovalType, FlowCustomerKind
from models.base.money import format_money
from models.guarantee.admission import AdmissionRule, Failing
from models.guarantee.product import (
    FeeKind,
    Product,
    ProductAudience,
    ProductDocument,
    ProductFee,
)
from models.guarantee.project import Project
from models.system.custom_field import CustomField
from models.system.records import DocumentTemplate
from reports.figures import dictionaries, flow_graph, flow_trial, products
from reports.figures.benchmarks import in_words
from reports.figures.document_templates import template_for

# What is approved on the way, and the papers that are issued, each where the product goes that way.
_APPROVALS: Final = (
    ("project.evaluation", ""),
    ("project.review", ""),
    ("project.risk", ""),
    ("project.president", ""),
    ("contract", ""),
    ("counter_guarantee", "has_counter"),
)
_PAPERS: Final = (
    ("intent_letter", "has_intent"),
    ("review_minutes", "has_board"),
    ("board_resolution", ""),
    ("confirmation_letter", ""),
    ("entrusted_contract", ""),
    ("guarantee_contract", ""),
    ("counter_contract", "has_counter"),
    ("fee_receipt", ""),
    ("disbursement_notice", ""),
    ("drawdown_voucher", ""),
    ("release_notice", ""),
)


@dataclass(frozen=True)
class Line:
    """One side of a product in words, and what is missing there; `table` is the tab on which it is mended."""

    label: str
    told: str
    gaps: tuple[str, ...] = ()
    table: str = ""


def composition(session: Session, product: Product, on: date) -> list[Line]:
    """All sides of a product, in the order in which a project meets them."""
    return [
        _offer(product, on),
        *_prices(session, product, on),
        _repaying(session, product),
        _documents(session, product),
        _admission(session, product),
        _fields(session),
        _stages(product),
        *_approvals(session, product),
        _papers(session, product),
    ]


def _offer(product: Product, on: date) -> Line:
    low, high = format_money(product.amount_min), format_money(product.amount_max)
    who = "个人和对公客户" if product.audience is ProductAudience.ANY else product.audience.label
    told = f"{who}可申请，{low} 至 {high} 元，{product.months_min} 至 {product.months_max} 个月"
    if product.on_from or product.on_until:
        told += f"；{product.on_from or '即日'}起，{product.on_until or '不限'}止"
    why = products.why_closed(product, on)
    return Line("申请", told, (why,) if why else ())


def _prices(session: Session, product: Product, on: date) -> Iterator[Line]:
    query = select(ProductFee).where(ProductFee.product_id == product.id).order_by(ProductFee.id)
    fees = list(session.scalars(query))
    told = [
        f"{fee.kind.label}{fee.payment.label} {fee.rate_pct.normalize():f}%{'/年' * fee.is_rate_annual}"
        for fee in fees
    ]
    gaps = []
    if FeeKind.GUARANTEE not in {fee.kind for fee in fees}:
        gaps.append("没有担保费，费用登记时不会带出")
    rate = f"担保费率 {product.fee_rate_pct.normalize():f}%/年"
    if product.fee_rate_min_pct is not None:
        rate += f"（不低于 {product.fee_rate_min_pct.normalize():f}%）"
    yield Line("费用", "；".join([rate, *told]), tuple(gaps), "product_fee")
    if product.benchmark is not None and product.spread_bp is not None:
        said = in_words(session, product.benchmark, product.spread_bp, on)
        gap = () if said else (f"没有登记{product.benchmark.label}，不能带出利率",)
        yield Line("贷款利率", said or product.benchmark.label, gap)


def _repaying(session: Session, product: Product) -> Line:
    ways = "、".join(one.label for one in products.methods_of(session, product))
    told = f"{ways}；默认{product.repayment_method.label}，计息天数 {product.day_count.label}"
    if product.extension_times_max:
        told += (
            f"；可展期 {product.extension_times_max} 次，合计 {product.extension_months_max} 个月"
        )
    else:
        told += "；不得展期"
    return Line("还款", told, (), "product_repayment")


def _documents(session: Session, product: Product) -> Line:
    query = select(ProductDocument).where(ProductDocument.product_id == product.id)
    rows = list(session.scalars(query.order_by(ProductDocument.id)))
    labels = dict(dictionaries.items(session, "document_category"))
    told = []
    for row in rows:
        asks = [f"{row.copies} 份"] if row.copies > 1 else []
        asks += ["核对原件"] * row.needs_original + ["登记有效期"] * row.has_expiry
        asks += [] if row.is_required else ["可选"]
        said = f"（{'，'.join(asks)}）" if asks else ""
        told.append(labels.get(row.category, row.category) + said)
    gap = () if any(row.is_required for row in rows) else ("没有必须提供的要件，申请时不核对",)
    return Line("要件", "、".join(told) or "没有要件清单", gap, "product_document")


def _admission(session: Session, product: Product) -> Line:
    query = select(AdmissionRule).where(
        AdmissionRule.product_id == product.id, AdmissionRule.is_active
    )
    rules = list(session.scalars(query.order_by(AdmissionRule.id)))
    told = [
        rule.name + ("（可例外审批）" if rule.failing is Failing.EXCEPTION else "")
        for rule in rules
    ]
    return Line("准入", "；".join(told) or "除系统限额外没有准入规则", (), "admission_rule")


def _fields(session: Session) -> Line:
    table = Project.__tablename__
    query = select(CustomField).where(CustomField.table_name == table, CustomField.is_active)
    told = [
        one.label + (f"（{one.visible_if} 时）" if one.visible_if else "")
        for one in session.scalars(query.order_by(CustomField.rank))
    ]
    return Line("自定义字段", "、".join(told) or "没有另加的字段")


def _stages(product: Product) -> Line:
    told = " → ".join(stage.label for stage in products.line_of(product))
    free = [
        words
        for words, has in (
            ("意向函", product.has_intent),
            ("审保会，由总裁签字", product.has_board),
            ("反担保", product.has_counter),
        )
        if not has
    ]
    return Line("环节", told + "".join(f"；免{words}" for words in free))


def _approvals(session: Session, product: Product) -> Iterator[Line]:
    kinds = [
        one
        for one in FlowCustomerKind
        if product.audience is ProductAudience.ANY or product.audience.name == one.name
    ]
    labels = {
        one.code: one.label
        for one in session.scalars(
            select(ApprovalType).where(ApprovalType.code.in_([code for code, _ in _APPROVALS]))
        )
    }
    for code, when in _APPROVALS:
        if when and not getattr(product, when):
            continue
        amounts = (product.amount_min, product.amount_max)
        found = flow_trial.passage(session, code, product.id, amounts, kinds)
        told = [f"{flow.name}：{flow_graph.words(flow_graph.line(flow))}" for flow in found.flows]
        gaps = found.gaps
        if len(gaps) > 3:
            gaps = (*gaps[:3], f"等 {len(found.gaps)} 种情形")
        label = labels.get(code, code)
        yield Line(
            label if "审批" in label else f"{label}审批", "；".join(told), gaps, "approval_flow"
        )


def _papers(session: Session, product: Product) -> Line:
    general, own, gaps = list[str](), list[str](), list[str]()
    labels = {
        row.code: row.label
        for row in session.execute(select(DocumentTemplate.code, DocumentTemplate.label))
    }
    for code, when in _PAPERS:
        if when and not getattr(product, when):
            continue
        found = template_for(session, code, product.id)
        if found is None:
            gaps.append(f"没有启用的“{labels.get(code, code)}”模板")
        elif found.general_id is not None:
            own.append(found.label)
        else:
            general.append(found.label)
    told = f"本产品自己的：{'、'.join(own)}；" if own else ""
    return Line("文书", f"{told}通用：{'、'.join(general)}", tuple(gaps), "document_template")
