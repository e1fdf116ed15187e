"""Papers that print personal data: known by what was printed, opened for a right or for work, and never in silence."""

import pytest
from sqlalchemy import select

from models.base.actor import ScopeLevel
from models.base.errors import NotAllowed
from models.base.masks import for_paper
from models.customer.customer import PersonalCustomer
from models.system.records import DocumentTemplate
from models.system.setup import AuditLog, LogKind, NumberReset, NumberRule
from tests.workflows.approval_world import World, required_values
from workflows.base import documents, plain_papers
from workflows.base.plain_papers import owners_of_plain_text

BEGINS_WITH = "tables"
READS = frozenset({("can_show", "issued_document"), ("can_show", "personal_customer")})
REVEALS = READS | {("can_reveal", "personal_customer")}
NUMBER = "11010519491231002X"
PLAIN_BODY = "<p>{{ customer.name }}（{{ customer.id_number }}），编号 {{ doc.number }}</p>"


@pytest.fixture
def world(session, tmp_path):
    session.info["data_dir"] = str(tmp_path)
    session.add(
        NumberRule(code="letter", label="函", pattern="HAN{yyyy}-{no:04d}", reset=NumberReset.YEAR)
    )
    session.add(DocumentTemplate(code="letter", label="函", body=PLAIN_BODY, version_no=1))
    session.flush()
    world = World(session)
    person = PersonalCustomer(
        number="KH1",
        name="张三丰",
        id_number=NUMBER,
        manager_id=world.id("丁"),
        **required_values(PersonalCustomer),
    )
    session.add(person)
    session.flush()
    world.person = person
    return world


def issue(world, **data):
    data = {
        "customer": {"name": "张三丰", "id_number": for_paper(world.person, "id_number")},
        **data,
    }
    return documents.issue(
        world.ctx(), "letter", world.person, number_rule="letter", title="担保函", data=data
    )


def reader(world, name, permissions=READS):
    return world.ctx(name, permissions=permissions, scope=ScopeLevel.ALL)


def test_a_paper_knows_whose_values_it_prints(world):
    made = issue(world)
    assert made.masked_of == "personal_customer"
    assert made.data["customer"]["id_number"] == NUMBER
    template = world.session.scalars(select(DocumentTemplate)).one()
    template.body = "<p>{{ customer.name }}，编号 {{ doc.number }}</p>"
    assert issue(world).masked_of is None, "it was given the number and does not print it"


def test_a_value_is_known_however_the_page_spells_it(world):
    world.person.address = "滨江区<3>幢 & 502"
    value = for_paper(world.person, "address")
    assert (
        owners_of_plain_text({"a": {"b": [value]}}, "<td>滨江区&lt;3&gt;幢 &amp; 502</td>")
        == "personal_customer"
    )
    assert (
        owners_of_plain_text({"a": value, "b": for_paper(world.person, "mobile")}, "<p>无</p>")
        == ""
    )
    assert owners_of_plain_text({"name": for_paper(world.person, "name")}, "张三丰") == ""


def test_who_has_neither_right_nor_work_is_told_who_helps(world):
    made = issue(world)
    with pytest.raises(NotAllowed, match=r"个人信息.*可联系承办人或出具人 申请人、丁"):
        documents.pdf(reader(world, "甲"), made)
    assert documents.pdf(reader(world, "甲", REVEALS), made).is_file()


@pytest.mark.parametrize("name", ["申请人", "丁"])
def test_who_issued_it_and_who_holds_the_record_open_it(world, name):
    assert documents.pdf(reader(world, name), issue(world)).is_file()


def test_who_is_asked_opens_it_until_the_decision(world):
    made = issue(world)
    world.flow(world.node(10, world.position("risk", "甲")))
    found = world.start(record=world.person)
    assert documents.pdf(reader(world, "甲"), made).is_file()
    assert plain_papers.why_closed(reader(world, "乙"), made)
    world.approve(found, "甲")
    assert plain_papers.why_closed(reader(world, "甲"), made)


def test_each_opening_leaves_a_line_and_others_none(world):
    made = issue(world)
    plain_papers.log_opening(reader(world, "丁"), made)
    made.masked_of = None
    plain_papers.log_opening(reader(world, "丁"), made)
    line = world.session.scalars(select(AuditLog).where(AuditLog.action == "OPEN")).one()
    assert (line.table_name, line.record_id, line.log_kind) == (
        "issued_document",
        made.id,
        LogKind.ACCESS,
    )
    assert line.employee_id == world.id("丁")
    assert made.number in line.note
    assert NUMBER not in line.note


def test_every_right_that_a_paper_needs_is_asked_for(world):
    made = issue(world)
    made.masked_of = "bank_account,personal_customer"
    assert plain_papers.why_closed(reader(world, "甲", REVEALS), made)
    assert not plain_papers.why_closed(
        reader(world, "甲", REVEALS | {("can_reveal", "bank_account")}), made
    )
