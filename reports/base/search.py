"""Contains-search over a million records: as people type it, two Chinese characters, part of a number, 拼音 initials.

Text is cut into overlapping grams (Chinese: two characters, letters and digits: four), each character beginning one;
a search is a phrase of grams, so it finds exactly what contains the text, whatever spaces, signs and case. A masked
column (X9) goes in as one token of its whole value: it is found by the whole number, and no part of it finds anything.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    bindparam,
    column,
    delete,
    event,
    false,
    func,
    inspect,
    literal,
    literal_column,
    or_,
    select,
    table,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from models.base.actor import Actor
from models.base.entity import Entity, entities, fields_of
from models.base.kinds import SpecKind
from models.base.masks import whole
from models.system.search import EDITION, KEY_BITS, install_search, key_base, search_text
from reports.base.scope import scoped

__all__ = [
    "Hit",
    "condition",
    "global_search",
    "initials",
    "install_search",
    "install_search_listener",
    "is_whole",
    "reindex",
    "renew",
]

QUERY_MAX: Final = 64
_FIELD_MAX: Final = 500
_CHUNK: Final = 2000
_LATIN: Final = 4
_RUN: Final = re.compile(r"(?P<latin>[0-9a-z]+)|(?P<han>[^\W0-9a-z_]+)")
_SIGNS: Final = re.compile(r"[\W_]+")
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
_SIMPLE: Final[ColumnElement[Any]] = literal_column("'simple'::regconfig")
_INDEX: Final = table("search_index", column("rowid"), column("search_index"))
_ALSO_KNOWN_BY: Final = {"drawdown": ("bank_note_no",)}  # unique as their own numbers are
_BRACKETS: Final = str.maketrans({**dict.fromkeys("([（【", "〔"), **dict.fromkeys(")]）】", "〕")})


@dataclass(frozen=True)
class Hit:
    """One finding of the global search; nothing of it is masked data."""

    table: str
    record_id: int
    label: str
    title: str
    number: str


def _runs(value: str) -> Iterator[tuple[str, bool]]:
    """Runs of letters and digits, and of characters of other scripts, with signs and spaces left out between them."""
    plain = unicodedata.normalize("NFKC", value).casefold()
    for match in _RUN.finditer(_SIGNS.sub("", plain)):
        yield match.group(), match.lastgroup == "latin"


def _latin_token(gram: str) -> str:
    """Letters and digits as a word that every word splitter leaves whole."""
    return f"y{gram}"


@lru_cache(maxsize=1 << 16)  # the same pairs of characters come again and again
def _han_token(gram: str) -> str:
    """Other characters as such a word: five hex digits each."""
    return "z" + "".join(f"{ord(sign):05x}" for sign in gram)


def _whole_token(value: str) -> str:
    """A masked value as one word of its own kind, of which no search can ask a part; '' for signs alone."""
    plain = whole(value)
    return f"w{hashlib.sha256(plain.encode()).hexdigest()[:32]}" if plain else ""


def _grams(run: str, *, is_latin: bool) -> list[str]:
    size, token = (_LATIN, _latin_token) if is_latin else (2, _han_token)
    return [token(run[start : start + size]) for start in range(len(run))]


def words_of(
    values: Iterable[str | None],
    initials_of: str | None = None,
    *,
    masked: Iterable[str | None] = (),
) -> str:
    """The tokens of a record's searched texts; `initials_of` also goes in by its pinyin initials, `masked` whole."""
    found: list[str] = []
    parts = [value[:_FIELD_MAX] for value in values if value]
    if initials_of and (short := initials(initials_of[:_FIELD_MAX])):
        parts.append(short)
    for part in dict.fromkeys(parts):
        for run, is_latin in _runs(part):
            found += _grams(run, is_latin=is_latin)
        found.append("x")  # keeps a phrase from running on into the next text
    found += filter(None, (_whole_token(value) for value in masked if value))
    return " ".join(found)


def initials(value: str) -> str:
    """First letters of the characters' pinyin; '' for a text without Chinese."""
    return "".join(_initials_of(run) for run in _BEYOND_ASCII.findall(value))


@lru_cache(maxsize=1 << 12)  # vouchers by the thousand have no Chinese in their code but the word
def _initials_of(run: str) -> str:
    from pypinyin import Style, lazy_pinyin

    return "".join(lazy_pinyin(run, style=Style.FIRST_LETTER, errors="ignore"))


def match_query(value: str, dialect: str, *, masked: bool = False) -> str:
    """The full-text query for records that contain every word of `value`; '' when nothing in it can be searched.

    `masked`: a word, or all of it with its spaces left out, may also be the whole value of a masked column.
    """
    both, either = (" & ", " | ") if dialect == "postgresql" else (" AND ", " OR ")
    words = value[:QUERY_MAX].split()
    parts = []
    for word in words:
        runs = both.join(
            _run_query(run, dialect, is_latin=is_latin) for run, is_latin in _runs(word)
        )
        if runs:
            parts.append(f"({runs}{either}{_whole_token(word)})" if masked else runs)
    found = both.join(parts)
    return (
        f"({found}){either}{_whole_token(value)}" if masked and len(words) > 1 and found else found
    )


def _run_query(run: str, dialect: str, *, is_latin: bool) -> str:
    size = _LATIN if is_latin else 2
    if len(run) < size:
        token = _latin_token(run) if is_latin else _han_token(run)
        return f"{token}:*" if dialect == "postgresql" else f'"{token}" *'
    grams = _grams(run, is_latin=is_latin)[: len(run) - size + 1]
    return "(" + " <-> ".join(grams) + ")" if dialect == "postgresql" else f'"{" ".join(grams)}"'


def condition(model: type[Entity], value: str, session: Session) -> ColumnElement[bool]:
    """The WHERE for records of `model` whose searched columns contain every word of `value`; '' finds all."""
    if not value.strip():
        return true()
    dialect = session.get_bind().dialect.name
    if not match_query(value, dialect):
        return false()
    key = inspect(model).primary_key[0]
    own = (key.in_(_ids(kind, value, dialect)) for kind in _kinds(model))
    return or_(*own, *_through(model, value, session))


def _through(model: type[Entity], value: str, session: Session) -> Iterator[ColumnElement[bool]]:
    """Records whose searched relation (the customer of a project) is found: people look for a case by its name."""
    for name in model.spec.searched:
        relation = inspect(model).relationships.get(name)
        if relation is not None:
            target = relation.mapper.class_
            (here,) = relation.local_columns
            yield here.in_(
                select(inspect(target).primary_key[0]).where(condition(target, value, session))
            )


def _ids(kind: type[Entity], value: str, dialect: str) -> Any:
    base, query = (
        key_base(kind.__tablename__),
        match_query(value, dialect, masked=bool(_masked(kind))),
    )
    key = _INDEX.c.rowid if dialect == "sqlite" else search_text.c.id
    limits = key.between(literal(base), literal(base + (1 << KEY_BITS) - 1))
    if dialect == "sqlite":
        return select(key - base).where(_INDEX.c.search_index.op("MATCH")(query), limits)
    asked = func.to_tsquery(_SIMPLE, query)
    return select(key - base).where(search_text.c.words.op("@@")(asked), limits)


def _kinds(model: type[Entity]) -> list[type[Entity]]:
    """The models under whose tables records of a model are indexed: its own and those of its kinds."""
    return [mapper.class_ for mapper in inspect(model).self_and_descendants]


_SEARCHED: dict[type[Entity], tuple[str, ...]] = {}


def _searched(model: type[Entity]) -> tuple[str, ...]:
    """The searched columns of a model itself, worked out at its first use."""
    found = _SEARCHED.get(model)
    if found is None:
        found = tuple(name for name in model.spec.searched if name in inspect(model).column_attrs)
        _SEARCHED[model] = found
    return found


def is_whole(model: type[Entity], name: str) -> bool:
    """Whether a searched name is found by its whole value only: what screens must say about it."""
    facts = fields_of(model).get(name)
    return facts is not None and bool(facts.mask)


_MASKED: dict[type[Entity], tuple[str, ...]] = {}


def _masked(model: type[Entity]) -> tuple[str, ...]:
    """Those of the searched columns that are found whole, worked out at their first use."""
    found = _MASKED.get(model)
    if found is None:
        found = _MASKED[model] = tuple(name for name in _searched(model) if is_whole(model, name))
    return found


def _words(model: type[Entity], values: dict[str, Any]) -> str:
    texts = {name: None if values[name] is None else str(values[name]) for name in _searched(model)}
    secret = _masked(model)
    title = values.get(model.spec.title)
    return words_of(
        (text for name, text in texts.items() if name not in secret),
        title if isinstance(title, str) else None,
        masked=(texts[name] for name in secret),
    )


def _row(record: Entity) -> dict[str, Any]:
    model = type(record)
    return {
        "id": key_base(model.__tablename__) + record.id,
        "words": _words(model, {name: getattr(record, name) for name in _searched(model)}),
    }


def _save(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    insert: Any
    if session.get_bind().dialect.name == "sqlite":
        insert = sqlite.insert(search_text)
    else:
        insert = postgresql.insert(search_text).values(
            words=func.to_tsvector(_SIMPLE, bindparam("words"))
        )
    insert = insert.on_conflict_do_update(
        index_elements=["id"], set_={"words": insert.excluded.words}
    )
    # RETURNING makes one statement of many rows: SQLite's index writes itself out after each statement.
    session.execute(insert.returning(search_text.c.id), list(rows))


def reindex(session: Session, model: type[Entity] | None = None) -> int:
    """Build the words of one entity (or of all) anew, e.g. after set-based writing; returns how many records."""
    models = [model] if model is not None else [found for found in entities() if _searched(found)]
    return sum(_reindex_one(session, found) for found in models)


def renew(session: Session, edition: int) -> int:
    """Bring an index of an older edition up to date: returns the edition it now has."""
    if edition < EDITION:
        reindex(session)
    return EDITION


def _reindex_one(session: Session, model: type[Entity]) -> int:
    base = key_base(model.__tablename__)
    session.execute(
        delete(search_text).where(search_text.c.id.between(base, base + (1 << KEY_BITS) - 1))
    )
    mapper = inspect(model)
    names = _searched(model)
    query = select(*(getattr(model, name) for name in ("id", *names)))
    if mapper.polymorphic_on is not None:
        query = query.where(mapper.polymorphic_on == mapper.polymorphic_identity)
    count = last = 0
    while rows := session.execute(
        query.where(model.id > last).order_by(model.id).limit(_CHUNK)
    ).all():
        values = [dict(zip(("id", *names), row, strict=True)) for row in rows]
        _save(session, [{"id": base + row["id"], "words": _words(model, row)} for row in values])
        count, last = count + len(rows), values[-1]["id"]
    return count


def install_search_listener(sessions: Any) -> None:
    """Keep the index up with every flush of the factory's sessions."""
    event.listen(sessions, "after_flush", _follow)


def _follow(session: Session, *_: Any) -> None:
    changed = [record for record in session.new if _is_searched(record)]
    changed += [
        record for record in session.dirty if _is_searched(record) and _has_new_words(record)
    ]
    if changed:
        _save(session, [_row(record) for record in changed])
    gone = [key_base(type(r).__tablename__) + r.id for r in session.deleted if _is_searched(r)]
    if gone:
        session.execute(delete(search_text).where(search_text.c.id.in_(gone)))


def _is_searched(record: Any) -> bool:
    return isinstance(record, Entity) and bool(_searched(type(record)))


def _has_new_words(record: Entity) -> bool:
    state: Any = inspect(record)
    return any(state.attrs[name].history.has_changes() for name in _searched(type(record)))


def global_search(session: Session, actor: Actor, value: str, limit: int = 20) -> list[Hit]:
    """What contains the text, of each kind that says so (`Spec.found`), after the papers that bear it as their number.

    All within the actor's permissions and scope. Projects, and contracts through them, are also found by their
    customer. No kind crowds the others out.
    """
    papers = _papers(session, actor, value, limit)
    known = {model.__tablename__: model for model in entities()}
    by_kind: list[list[Hit]] = []
    for model in told():
        if not value.strip() or not actor.may("list", str(model.__tablename__)):
            continue
        where = condition(model, value, session)
        if hasattr(model, "customer_id"):
            customer = known["customer"]
            where = or_(
                where,
                model.customer_id.in_(
                    select(customer.id).where(condition(customer, value, session))
                ),
            )
        query = (
            scoped(select(model).where(where), model, actor).order_by(model.id.desc()).limit(limit)
        )
        found = session.scalars(query.options(*_loaded(model))).all()
        by_kind.append([_hit(record) for record in found])
    return (papers + _shared_out(by_kind, limit))[:limit]


def told() -> list[type[Any]]:
    """What the global search finds by any part of its words; papers with a number of their own by all of that."""
    found = [
        model for model in entities() if "spec" in vars(model) and model.spec.found is not None
    ]
    return sorted(found, key=lambda model: model.spec.found.rank if model.spec.found else 0)


def numbered() -> list[type[Any]]:
    """Records with a screen and a number of their own, which people know them by."""
    kinds = (SpecKind.MASTER, SpecKind.DOCUMENT, SpecKind.LEDGER, SpecKind.LOG)
    return [
        model
        for model in entities()
        if model.spec.kind in kinds and "number" in model.spec.searched
    ]


def _papers(session: Session, actor: Actor, value: str, limit: int) -> list[Hit]:
    """Papers whose number the text is, as it was printed or typed; a part of a number is for the lists of each kind."""
    text = value.strip()
    if not any(sign.isdigit() for sign in text):
        return []
    plain = unicodedata.normalize("NFKC", text).upper()
    known = {text, plain, plain.translate(_BRACKETS)}
    found: list[Hit] = []
    for model in numbered():
        if model.spec.found is None and actor.may("list", model.__tablename__):
            names = ("number", *_ALSO_KNOWN_BY.get(model.__tablename__, ()))
            where = or_(*(getattr(model, name).in_(known) for name in names))
            query = scoped(select(model).where(where), model, actor)
            found += [_hit(record) for record in session.scalars(query.limit(limit))]
    return found


def _shared_out(by_kind: list[list[Hit]], limit: int) -> list[Hit]:
    """At most `limit` in the order of the kinds; what one kind leaves free the next ones take."""
    share = max(limit // max(len(by_kind), 1), 1)
    free = limit - sum(min(len(hits), share) for hits in by_kind)
    found: list[Hit] = []
    for hits in by_kind:
        taken = hits[: share + max(free, 0)]
        free -= max(len(taken) - share, 0)
        found += taken
    return found[:limit]


def _loaded(model: type[Any]) -> list[Any]:
    """What the words of a hit need, loaded with it."""
    names = model.spec.found.loads if model.spec.found else ()
    options = []
    for path in names:
        option: Any = None
        owner: Any = model
        for name in path.split("."):
            relation = getattr(owner, name)
            option = joinedload(relation) if option is None else option.joinedload(relation)
            owner = relation.property.mapper.class_
        options.append(option)
    return options


def _hit(record: Any) -> Hit:
    number = getattr(record, "number", None) or getattr(record, "code", None) or ""
    told = record.spec.found.words if record.spec.found else str
    title, project = told(record), getattr(record, "project", None)
    if project is not None and title == number:  # its number alone says nothing
        title = f"{project.customer.name} · {record.spec.label}"
    return Hit(record.__tablename__, record.id, record.spec.label, title, str(number))
