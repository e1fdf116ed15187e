"""关系图 (3.3): the customers up to two steps around one, what ties them together, and what stands on each."""

from models.base.kinds import Module
from models.base.money import format_money
from reports.base.asked import Asked
from reports.base.params import pick
from reports.base.report import Found, Line, Mark, Report, balance, drill, register, stated, words
from reports.customer.around import Around, Node, Tie, around, ring_words
from reports.figures import dictionaries

CODE = "customer-relations"


def lines(asked: Asked) -> Found:
    """Each customer once, the nearer ones first, with the ties that lead to it."""
    centre = asked["customer"]
    found = around(asked.session, asked.actor, centre.id, asked.today)
    told = dictionaries.labels(asked.session, "relation_kind")
    marks = [Mark(f"{len(found.rings)} 个互保圈", "bad")] if found.rings else []
    group = ""
    if len(found.group) > 1:
        marks.append(Mark(f"关联方 {len(found.group)} 户", "warn"))
        group = f"关联方在保合计 {format_money(found.group_in_force)} 元"
    rings = ring_words(asked.session, asked.actor, found.rings)
    cut = f"；另有 {found.left_out} 户未列出，请点开其中一户再看" if found.left_out else ""
    return Found(
        [_line(asked, found, node, told) for node in found.nodes],
        heading="两层以内的关联客户",
        note=f"截至营业日期 {asked.today.isoformat()}{cut}",
        marks=marks,
        foot="；".join(filter(None, (group, rings))),
        crumbs=[(centre.name, asked.record(str(centre.__tablename__), centre.id))],
        source=found,
    )


def _line(asked: Asked, found: Around, node: Node, told: dict[str, str]) -> Line:
    url = asked.record(node.table, node.id) if node.table else ""
    nearer = drill(asked, CODE, node.id) if node.steps and node.table else ""
    projects = asked.rows("project", f"customer_id:eq:{node.id}")
    is_known = bool(node.table and node.in_force)
    return Line(
        {
            "name": node.name,
            "steps": node.steps,
            "ties": "；".join(
                _tie(found, tie, node, told) for tie in found.ties if _is_of(tie, node)
            ),
            "group": "是" if node.is_in_group else "",
            "ring": "是" if node.is_in_ring else "",
            "in_force": node.in_force,
            "reserved": node.reserved,
        },
        url=url,
        urls={"steps": nearer, "in_force": projects if is_known else ""},
        tones={"ring": "bad" if node.is_in_ring else ""},
    )


def _is_of(tie: Tie, node: Node) -> bool:
    return node.id in (tie.a, tie.b)


def _tie(found: Around, tie: Tie, node: Node, told: dict[str, str]) -> str:
    """As seen from the customer of the row: 担保 → 甲公司, ← 控股 乙公司."""
    label = told.get(tie.kind, tie.kind)
    share = f" {tie.share_pct.normalize():f}%" if tie.share_pct else ""
    waits = "（待确认）" if tie.is_proposed else ""
    other = found.names[tie.b if tie.a == node.id else tie.a]
    way = f"{label}{share} → {other}" if tie.a == node.id else f"{other} {label}{share} → 本户"
    return way + waits


register(
    Report(
        CODE,
        "关系图",
        Module.CUSTOMER,
        permission=("list", "customer_relation"),
        columns=(
            words("name", "客户"),
            stated("steps", "相隔", "int", "层"),
            words("ties", "关系", is_long=True),
            words("group", "关联方"),
            words("ring", "互保圈"),
            balance("in_force", "在保余额"),
            balance("reserved", "决议占用"),
        ),
        lines=lines,
        params={"customer": pick("客户", "customer")},
        about="customer",
        help="已确认且在有效期内的关系，以及项目反担保中的保证；待确认的一并列出，不计入关联方",
        empty="没有关联的客户",
        has_totals=False,
    )
)
