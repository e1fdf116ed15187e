"""The role x module x level matrix: what `flask init` gives the built-in roles; administrators change roles afterwards.

Levels: READ = list, show, export; WRITE = READ + add, edit, delete. Verbs are named one by one: whoever may register a
thing may not for that reason approve it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from models.base.entity import Entity, entities, fields_of, owner_of
from models.base.kinds import Module
from models.base.rights import READ, WRITE
from models.open_tables import OPEN
from models.system.role import ScopeKind
from workflows.base.transition import VERBS

BUSINESS = (Module.CUSTOMER, Module.GUARANTEE, Module.AFTER, Module.COLLATERAL)
BACK_OFFICE = tuple(m for m in Module if m.is_back_office)


@dataclass(frozen=True)
class RoleSpec:
    """One built-in role: which modules at which level, single tables, and verbs as 'table.verb'."""

    name: str
    scope: ScopeKind
    note: str
    read: tuple[Module, ...] = ()
    write: tuple[Module, ...] = ()
    tables: dict[str, tuple[str, ...]] = field(default_factory=dict)
    verbs: tuple[str, ...] = ()


# Everybody needs these to work at all: look-ups of master data, own tasks, comments and files.
COMMON: dict[str, tuple[str, ...]] = {
    "employee": ("list", "show"),
    "department": ("list", "show"),
    "product": ("list", "show"),
    "product_document": ("list", "show"),
    "product_fee": ("list", "show"),
    "partner_bank": ("list", "show"),
    "collateral_type": ("list", "show"),
    "storage_place": ("list", "show"),
    "sharing_scheme": ("list", "show"),
    "scheme_share": ("list", "show"),
    "scheme_bank": ("list", "show"),
    "scheme_product": ("list", "show"),
    "scheme_rule": ("list", "show"),
    "approval_instance": ("list", "show"),
    "approval_task": ("list", "show"),
    "delegation": ("list", "show", "add", "revoke"),
    "issued_document": ("list", "show", "verify"),
    "attachment": ("list", "show", "add"),
    "comment": ("list", "show", "add"),
    "errand": ("list", "show", "add", "finish", "withdraw", "hand_on"),
    "company": ("list", "show"),
    "dictionary_type": ("list", "show"),
    "dictionary_item": ("list", "show"),
}
_APPLICANT = (
    "project.submit",
    "project.cancel",
    "investigation_report.submit",
    "bank_letter.issue_intent",
    "project.submit_review",
    "project.submit_fees",
    "contract.submit",
    "counter_guarantee.submit",
    "counter_guarantee.settle",
    "bank_letter.issue_notice",
    "drawdown.confirm",
    "drawdown.replan",
    "fee_waiver.submit",
    "bank_letter.issue_confirmation",
    "customer_rating.rate",
    "resolution_condition.meet",
    "customer_watch.submit",
    "customer_watch.remove",
    "repayment.register",
    "repayment.import",
    "repayment.reverse",
    "drawdown.issue_overdue",
    "release.submit",
    "release.return_deposit",
    "risk_warning.handle",
    "risk_warning.lift",
    "project.resubmit",
    "project.reconsider",
    "contract.void",
    "counter_guarantee.void",
    "termination.submit",
    "termination.settle",
    "project.correct_small",
)

ROLES: tuple[RoleSpec, ...] = (
    RoleSpec(
        "系统管理员",
        ScopeKind.ALL,
        "维护参数、字典、组织、流程与模板；可查看业务，不办理业务",
        read=tuple(Module),
        write=BACK_OFFICE,
        tables={
            "operator": READ,
            "audit_log": (),
        },
        verbs=(
            "job_run.day_end",
            "job_run.backup",
            "job_run.verify",
            "risk_warning.evaluate",
            "approval_flow.publish",
            "approval_flow.retire",
            "approval_task.reassign",
            "delegation.appoint",
            "approval_instance.end",
            "customer.hand_over",
            "project.hand_over",
        ),
    ),
    RoleSpec(
        "安全管理员",
        ScopeKind.ALL,
        "维护操作员、角色与权限，重置密码",
        read=(Module.SYSTEM,),
        tables={"operator": WRITE},
        verbs=(
            "operator.reset",
            "operator.grant",
            "operator.unlock",
            "operator.end_session",
            "ab_role.list",
            "ab_role.edit",
        ),
    ),
    RoleSpec(
        "审计管理员",
        ScopeKind.ALL,
        "查看操作日志与全部业务记录，不能修改",
        read=tuple(Module),
        verbs=("ab_role.list", "job_run.verify"),
    ),
    RoleSpec(
        "客户经理",
        ScopeKind.SELF,
        "登记客户，办理本人承办的项目",
        read=(Module.QUERY,),
        write=BUSINESS,
        verbs=(*_APPLICANT, "customer.reveal"),
        tables={
            "review_meeting": ("list", "show"),
            "meeting_item": ("list", "show"),
            "meeting_member": ("list", "show"),
        },
    ),
    RoleSpec(
        "业务部门经理",
        ScopeKind.SUBTREE,
        "管理本部门客户与项目，审批评估",
        read=(Module.QUERY,),
        write=BUSINESS,
        verbs=(
            *_APPLICANT,
            "customer.reveal",
            "customer_rating.confirm",
            "attachment.delete",
            "customer.hand_over",
            "project.hand_over",
            "customer.close",
            "customer.reopen",
        ),
    ),
    RoleSpec(
        "风控专员",
        ScopeKind.ALL,
        "风险评估",
        read=BUSINESS,
        verbs=(
            "risk_assessment.submit",
            "customer_rating.confirm",
            "risk_warning.evaluate",
            "risk_warning.handle",
            "risk_warning.lift",
            "project.correct_small",
            "project.confirm_small",
        ),
    ),
    RoleSpec(
        "风控总监",
        ScopeKind.ALL,
        "审批风险评估与评审",
        read=(*BUSINESS, Module.QUERY),
        verbs=("customer.reveal", "customer_rating.confirm", "project.confirm_small"),
    ),
    RoleSpec("分管副总", ScopeKind.ALL, "审批评估与评审", read=(*BUSINESS, Module.QUERY)),
    RoleSpec("总裁", ScopeKind.ALL, "签署公司决议", read=(*BUSINESS, Module.QUERY, Module.LEDGER)),
    RoleSpec(
        "审保会委员", ScopeKind.ALL, "在审保会上表决", read=BUSINESS, verbs=("meeting_vote.cast",)
    ),
    RoleSpec(
        "审保会秘书",
        ScopeKind.ALL,
        "召集审保会，记录结果",
        read=BUSINESS,
        tables={"review_meeting": WRITE, "meeting_item": WRITE, "meeting_member": WRITE},
        verbs=(
            "review_meeting.open",
            "review_meeting.close",
            "meeting_item.withdraw",
            "meeting_member.attend",
            "bank_letter.issue_confirmation",
        ),
    ),
    RoleSpec("法务", ScopeKind.ALL, "审核合同与反担保", read=BUSINESS, verbs=("customer.reveal",)),
    RoleSpec(
        "会计",
        ScopeKind.ALL,
        "复核记账，编制凭证",
        read=(*BUSINESS, Module.QUERY, Module.LEDGER),
        tables={
            "voucher": WRITE,
            "voucher_entry": READ,
            "voucher_template": WRITE,
            "voucher_template_line": WRITE,
        },
        verbs=(
            "business_event.book",
            "business_event.refuse",
            "business_event.unbook",
            "voucher.add",
            "voucher.edit",
            "voucher.void",
            "voucher.reverse",
            "voucher.post",
            "voucher.unreview",
            "voucher.renumber",
            "voucher.keep_template",
            "accounting_period.provide",
            "fee_due.invoice",
        ),
    ),
    RoleSpec(
        "财务主管",
        ScopeKind.ALL,
        "审核与记账凭证，维护账套",
        read=(*BUSINESS, Module.QUERY),
        write=(Module.LEDGER,),
        tables={"config_version": READ, "config_proposal": READ},
        verbs=(
            "voucher.review",
            "voucher.unreview",
            "voucher.post",
            "voucher.reverse",
            "voucher.void",
            "voucher.renumber",
            "voucher.keep_template",
            "business_event.book",
            "business_event.refuse",
            "business_event.unbook",
            "accounting_period.provide",
            "accounting_period.close",
            "accounting_period.reopen",
            "opening_import.load",
            "job_run.verify",
        ),
    ),
    RoleSpec(
        "出纳",
        ScopeKind.ALL,
        "收款，出纳签字",
        read=(*BUSINESS, Module.LEDGER),
        verbs=(
            "receipt.collect",
            "voucher.sign",
            "voucher.unsign",
            "repayment.import",
            "repayment.import_bank",
            "repayment.reverse",
            "fee_due.invoice",
            "receipt.drop",
        ),
    ),
    RoleSpec(
        "押品专员", ScopeKind.ALL, "落实反担保", read=BUSINESS, verbs=("counter_guarantee.settle",)
    ),
    RoleSpec(
        "分析员",
        ScopeKind.ALL,
        "查询、筛选与导出",
        read=(*BUSINESS, Module.QUERY, Module.LEDGER, Module.STATISTICS),
    ),
)


def resources() -> Iterator[tuple[type[Entity], tuple[str, ...]]]:
    """Each entity with a screen and the permissions that its kind can have."""
    for model in entities():
        spec = model.spec
        if spec.kind.has_screen:
            own = tuple(
                v for v in WRITE if v in READ or (spec.kind.is_writable and v in spec.saved_by)
            ) + (("import",) if spec.takes_files else ())
            masks = ("reveal",) if any(facts.mask for facts in fields_of(model).values()) else ()
            yield model, own + masks


def all_permissions() -> dict[str, set[str]]:
    """Every permission of the product by table: those of the generated screens and those of the verbs.

    Raises ValueError where a verb or report names a built-in role that is not there: nobody would get it.
    """
    found: dict[str, set[str]] = {model.__tablename__: set(own) for model, own in resources()}
    names = {role.name for role in ROLES}
    for model, _ in resources():
        if missing := {*model.spec.roles, *model.spec.reveals} - names:
            raise ValueError(f"{model.__name__} is given to roles that are not there: {missing}")
    for (table, verb), facts in VERBS.items():
        if missing := set(facts.roles) - names:
            raise ValueError(f"{verb} {table} is given to roles that are not there: {missing}")
        found.setdefault(table, set()).add(verb)
    return found


def permissions_of(role: RoleSpec, known: dict[str, set[str]]) -> set[tuple[str, str]]:
    """(verb, table) pairs of a built-in role among the `known` ones; parts of a record follow their owner's level."""
    granted: dict[str, set[str]] = {}
    for model, _ in resources():
        granted[model.__tablename__] = set(_level(role, model))
    _overlay(granted, COMMON.items(), adding=True)
    _overlay(granted, _tables(role).items(), adding=False)
    pairs = {
        (verb, table)
        for table, verbs in granted.items()
        for verb in verbs
        if verb in known.get(table, ())
    }
    for name in role.verbs:
        table, verb = name.split(".")
        reached = [*_with_heirs(table), *(_parts_of(table) if verb == "reveal" else ())]
        pairs |= {(verb, t) for t in reached if verb in known.get(t, ())}
    pairs |= {
        ("reveal", str(model.__tablename__))
        for model, own in resources()
        if role.name in model.spec.reveals and "reveal" in own
    }
    # Who may add by a form may bring rows in from a file.
    pairs |= {("import", model.__tablename__) for model in importable(pairs)}
    # What a part of the product says of its own verbs, so that a new one needs no line here.
    return pairs | {(verb.verb, verb.table) for verb in VERBS.values() if role.name in verb.roles}


def importable(pairs: set[tuple[str, str]]) -> Iterator[type[Entity]]:
    """The entities whose rows may come from files and are added by whoever holds these (verb, table) pairs."""
    return (
        model
        for model, _ in resources()
        if model.spec.takes_files and ("add", model.__tablename__) in pairs
    )


def _parts_of(table: str) -> list[str]:
    """Tables whose rows are part of a record: who may see its masked values sees those of its parts."""
    heirs = _with_heirs(table)
    owners = ((model, owner_of(model)) for model in entities())
    return [
        model.__tablename__ for model, owner in owners if owner and owner[1].__tablename__ in heirs
    ]


def _with_heirs(table: str) -> list[str]:
    return {"customer": ["customer", "personal_customer", "corporate_customer"]}.get(table, [table])


def _level(role: RoleSpec, model: type[Entity]) -> tuple[str, ...]:
    """By module; what all departments share is read alone, for a limit is not set by whom it binds."""
    top = model
    while owner := owner_of(top):
        top = owner[1]
    tables = _tables(role)
    if top.__tablename__ in tables and top is not model:
        return tables[top.__tablename__]
    module, is_business = model.spec.module, model.spec.module in BUSINESS
    if module in role.write and not (is_business and model.__tablename__ in OPEN):
        return WRITE
    return READ if module in (*role.read, *role.write) else ()


@cache
def _stated(name: str) -> dict[str, tuple[str, ...]]:
    """What tables say themselves of a role."""
    found = ((str(model.__tablename__), model.spec.roles.get(name)) for model in entities())
    return {table: verbs for table, verbs in found if verbs is not None}


def _tables(role: RoleSpec) -> dict[str, tuple[str, ...]]:
    """Single tables of a role: what stands beside the table, and what stands here."""
    return {**_stated(role.name), **role.tables}


def _overlay(
    granted: dict[str, set[str]], rows: Iterable[tuple[str, tuple[str, ...]]], *, adding: bool
) -> None:
    for table, verbs in rows:
        for name in _with_heirs(table):
            granted[name] = (granted.get(name, set()) if adding else set()) | set(verbs)
