"""The search index: what people type is found on both databases, follows every save, and keeps to the scope."""

import pytest
from sqlalchemy import ClauseElement, Executable, event, func, select, text
from sqlalchemy.ext.compiler import compiles

from models.base.actor import Actor, ScopeLevel
from models.base.entity import entities
from models.customer.customer import CorporateCustomer, Customer, PersonalCustomer
from models.system.organization import Department, Employee
from models.system.records import Comment
from models.system.search import EDITION, key_base, search_text
from reports.base import search
from tests.workflows.approval_world import required_values

NAMES = ("苏州鑫海泰贸易有限公司", "重庆长江建材（集团）公司", "𠮷野家食品", "ABC-Tech 科技", "王")


@pytest.fixture
def session(session):
    search.install_search_listener(session)
    return session


@pytest.fixture
def departments(session):
    made = [Department(code=f"DB2026-{no:04}", name=name) for no, name in enumerate(NAMES, 1)]
    session.add_all(made)
    session.flush()
    return made


def found(session, value, model=Department):
    query = select(model.name).where(search.condition(model, value, session)).order_by(model.id)
    return list(session.scalars(query))


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        ("鑫海", [0]),
        ("公司", [0, 1]),
        ("司公", []),
        ("海州", []),
        ("鑫海泰贸易有限公司", [0]),
        ("鑫海泰贸易有限责任", []),
        ("苏", [0]),
        ("司", [0, 1]),
        ("王", [4]),
        ("集团公司", [1]),
        ("(集团)", [1]),
        ("𠮷", [2]),
        ("𠮷野", [2]),
        ("abc", [3]),
        ("ABC-tech", [3]),
        ("bctech", [3]),
        ("tech科技", [3]),
        ("ＡＢＣ", [3]),
        ("DB2026-0002", [1]),
        ("db20260002", [1]),
        ("0002", [1]),
        ("02", [0, 1, 2, 3, 4]),
        ("2", [0, 1, 2, 3, 4]),
        ("公司 鑫海", [0]),
        ("公司 王", []),
        ("szx", [0]),
        ("cqcj", [1]),
        ("xhtmy", [0]),
        ("-- *", []),
        ("\"' OR 1", []),
        ("a:* & !b", [3]),
        ("", [0, 1, 2, 3, 4]),
        ("   ", [0, 1, 2, 3, 4]),
        ("公" * 500, []),
    ],
)
def test_what_people_type_is_found(session, departments, value, numbers):
    assert found(session, value) == [NAMES[number] for number in numbers]


def test_the_index_follows_every_save(session, departments):
    first = departments[0]
    first.name = "杭州西湖茶叶"
    session.flush()
    assert (found(session, "鑫海"), found(session, "西湖")) == ([], ["杭州西湖茶叶"])
    first.note = "不在搜索之列"
    session.flush()
    assert found(session, "之列") == []
    session.delete(first)
    session.flush()
    assert found(session, "西湖") == []
    assert session.scalar(select(func.count()).select_from(search_text)) == len(NAMES) - 1


def test_an_untouched_name_is_not_written_again(session, departments):
    written = []
    event.listen(
        session.connection(), "before_cursor_execute", lambda *args: written.append(args[2])
    )
    departments[0].note = "备注"
    session.flush()
    assert not [statement for statement in written if "search_text" in statement]


def test_rows_written_past_the_session_come_in_by_reindex(session, departments, monkeypatch):
    monkeypatch.setattr(search, "_CHUNK", 2)
    session.execute(text("UPDATE department SET name = '直接写入' WHERE code = 'DB2026-0001'"))
    session.expire_all()
    assert found(session, "直接") == []
    assert search.reindex(session, Department) == len(NAMES)
    assert (found(session, "直接"), found(session, "鑫海")) == (["直接写入"], [])
    assert search.reindex(session) >= len(NAMES)


def test_an_entity_without_searched_columns_has_no_words(session):
    session.add(Comment(owner_table="department", owner_id=1, text="留言内容"))
    session.flush()
    search.reindex(session)
    assert session.scalar(select(func.count()).select_from(search_text)) == 0


def test_records_of_each_kind_are_found_through_their_base(session):
    person = PersonalCustomer(
        number="KH1",
        name="张三丰",
        id_number="11010519491231002X",
        **required_values(PersonalCustomer),
    )
    firm = CorporateCustomer(
        number="KH2",
        name="三丰科技",
        uscc="91440000000000000X",
        **required_values(CorporateCustomer),
    )
    session.add_all([person, firm])
    session.flush()
    assert found(session, "三丰", Customer) == ["张三丰", "三丰科技"]
    assert found(session, "三丰", PersonalCustomer) == ["张三丰"]
    firm.contact = "李联络"
    session.flush()
    assert found(session, "李联络", CorporateCustomer) == ["三丰科技"]
    assert search.reindex(session, PersonalCustomer) == 1
    assert search.reindex(session, Customer) == 0
    assert found(session, "三丰", Customer) == ["张三丰", "三丰科技"]


NUMBER, MOBILE = "11010519491231002X", "13800138000"


@pytest.fixture
def person(session):
    made = PersonalCustomer(
        number="KH1",
        name="张三丰",
        id_number=NUMBER,
        mobile="138 0013-8000",
        **required_values(PersonalCustomer),
    )
    session.add(made)
    session.flush()
    return made


@pytest.mark.parametrize("model", [Customer, PersonalCustomer])
@pytest.mark.parametrize(
    "value",
    [
        NUMBER,
        NUMBER.lower(),
        "110105 19491231 002X",
        "１１０１０５19491231002x",
        MOBILE,
        "138-0013-8000",
        "138 0013 8000",
        "张三丰 13800138000",
    ],
)
def test_a_masked_column_is_found_by_its_whole_value(session, person, model, value):
    assert found(session, value, model) == ["张三丰"]


def test_no_part_of_a_masked_column_finds_anything(session, person):
    """Not as it was saved, not after the index was built anew, and not as a part of a longer number."""
    for _ in range(2):
        for plain in (NUMBER, MOBILE):
            parts = {
                plain[start:end]
                for start in range(len(plain))
                for end in range(start + 3, len(plain) + 1)
            }
            asked = [
                *sorted(parts - {plain}),
                f"{plain}0",
                f"0{plain}",
                f"{plain[:6]} {plain[6:]}0",
            ]
            assert [part for part in asked if found(session, part, Customer)] == []
        assert found(session, f"{NUMBER} {MOBILE}", Customer) == ["张三丰"]
        search.reindex(session, PersonalCustomer)


def test_the_index_follows_a_masked_column(session, person):
    person.mobile = "13900139000"
    session.flush()
    assert (found(session, MOBILE, Customer), found(session, "13900139000", Customer)) == (
        [],
        ["张三丰"],
    )


def test_an_index_of_an_older_edition_is_built_anew(session, person):
    session.execute(text("DELETE FROM search_text"))
    assert search.renew(session, EDITION) == EDITION
    assert found(session, NUMBER, Customer) == []
    assert search.renew(session, EDITION - 1) == EDITION
    assert found(session, NUMBER, Customer) == ["张三丰"]


def test_the_global_search_keeps_to_permission_and_scope(session, departments):
    people = [
        Employee(number=f"E{no}", name=f"员工{no}", department_id=departments[no].id)
        for no in range(2)
    ]
    session.add_all(people)
    session.flush()
    for no in range(2):
        session.add(
            CorporateCustomer(
                number=f"KH{no}",
                name=f"鑫海分公司{no}",
                uscc=f"91440000000000000{no}",
                manager_id=people[no].id,
                department_id=departments[no].id,
                **required_values(CorporateCustomer),
            )
        )
    session.flush()
    rights = frozenset({("can_list", "customer"), ("can_list", "project")})
    own = Actor(people[0].id, "员工0", scope=ScopeLevel.SELF, permissions=rights)
    everything = Actor(people[0].id, "员工0", scope=ScopeLevel.ALL, permissions=rights)
    assert [hit.title for hit in search.global_search(session, own, "鑫海")] == ["鑫海分公司0"]
    hits = search.global_search(session, everything, "鑫海")
    assert [(hit.table, hit.number) for hit in hits] == [
        ("corporate_customer", "KH1"),
        ("corporate_customer", "KH0"),
    ]
    assert len(search.global_search(session, everything, "鑫海", limit=1)) == 1
    assert search.global_search(session, Actor(1, "无权限", scope=ScopeLevel.ALL), "鑫海") == []
    assert search.global_search(session, everything, "  ") == []


def test_names_without_chinese_have_no_initials():
    assert search.words_of(["ABC"], "ABC") == search.words_of(["ABC"]) == "yabc ybc yc x"
    assert search.words_of(["长江"], "长江") == "z0957f06c5f z06c5f x ycj yj x"


def test_no_two_tables_share_a_range_of_keys():
    names = [model.__tablename__ for model in entities()]
    assert len({key_base(name) for name in names}) == len(names)


def test_the_index_can_be_made_over_rows_that_are_there(session, departments, db_kind):
    connection = session.connection()
    if db_kind == "sqlite":
        for name in ("insert", "update", "delete"):
            connection.execute(text(f"DROP TRIGGER search_text_{name}"))
        connection.execute(text("DROP TABLE search_index"))
    search.install_search(connection)
    search.install_search(connection)
    assert found(session, "鑫海") == [NAMES[0]]


def test_a_search_goes_through_the_index(session, departments, db_kind):
    query = select(Department.id).where(search.condition(Department, "鑫海", session))
    if db_kind == "postgresql":
        base = key_base("department")
        rows = "SELECT :base + no, to_tsvector('simple', 'z' || no || ' zz') FROM generate_series(1000, 20000) AS no"
        session.execute(text(f"INSERT INTO search_text (id, words) {rows}"), {"base": base})
        session.execute(text("ANALYZE search_text"))
    plan = session.connection().execute(_Explain(query)).all()
    assert ("VIRTUAL TABLE INDEX" if db_kind == "sqlite" else "ix_search_text_words") in str(plan)


class _Explain(Executable, ClauseElement):
    """EXPLAIN of a query, parameters and all."""

    inherit_cache = False

    def __init__(self, query) -> None:
        self.query = query


@compiles(_Explain, "sqlite")
def _explain_sqlite(element, compiler, **options):
    return "EXPLAIN QUERY PLAN " + compiler.process(element.query, literal_binds=True, **options)


@compiles(_Explain)
def _explain(element, compiler, **options):
    return "EXPLAIN " + compiler.process(element.query, literal_binds=True, **options)
