"""A new application: what product, bank and colleague propose, and the copy of a project that renews it."""

import re

import pytest
from sqlalchemy import select

from models.base.entity import parts_of
from models.customer.customer import CorporateCustomer
from models.customer.rating_model import CompletenessItem, CustomerKind
from models.guarantee.bank import PartnerBank
from models.guarantee.product import Product
from models.guarantee.project import Project, ProjectState
from models.system.organization import Operator
from reports.figures.completeness import standing


@pytest.fixture(scope="module")
def former(demo):
    """A project in force of 周敏: its id."""
    with demo.session() as session:
        mine = select(Operator.employee_id).where(Operator.username == "zhoumin").scalar_subquery()
        found = select(Project.id).where(
            Project.state == ProjectState.IN_FORCE, Project.manager_id == mine
        )
        return session.scalars(found.order_by(Project.id)).first()


def typed(page):
    """What the controls of a form hold, by their names."""
    inputs = dict(re.findall(r'<input[^>]*\bname="([^"]+)"[^>]*\bvalue="([^"]*)"', page))
    for name, body in re.findall(
        r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL
    ):
        chosen = re.search(r'<option selected[^>]*value="([^"]*)"', body)
        inputs[name] = chosen.group(1) if chosen else ""
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>\s*([^<]*)</textarea>', page):
        inputs[name] = text.strip()
    return {
        name: value for name, value in inputs.items() if name not in ("csrf_token", "form_key", "q")
    }


def test_product_and_bank_propose_their_terms(demo):
    with demo.session() as session:
        product = session.scalars(select(Product).where(Product.code == "LDZJ")).one()
        bank = session.scalars(select(PartnerBank).order_by(PartnerBank.share_pct.desc())).first()
    zhou = demo.client_of("zhoumin")
    answer = zhou.get(f"/project/proposed?product_id={product.id}&bank_id={bank.id}").json
    assert answer == {
        "fee_rate_pct": f"{product.fee_rate_pct.normalize():f}",
        "repayment_method": product.repayment_method.name,
        "bank_share_pct": f"{bank.share_pct.normalize():f}",
    }
    for strange in ("product_id=999999", "product_id=abc", "product_id=", "nothing=1"):
        assert zhou.get(f"/project/proposed?{strange}").json == {}
    assert (
        demo.client_of("luona").get(f"/project/proposed?product_id={product.id}").status_code == 403
    )
    page = typed(zhou.get(f"/project/add?product_id={product.id}").text)
    assert page["fee_rate_pct"].rstrip("0") == f"{product.fee_rate_pct.normalize():f}"


def test_the_usual_assistant_is_there_already(demo):
    with demo.session() as session:
        mine = session.scalar(select(Operator.employee_id).where(Operator.username == "zhoumin"))
        last = (
            select(Project.assistant_id)
            .where(Project.manager_id == mine)
            .order_by(Project.id.desc())
        )
        wanted = session.scalars(last).first()
    assert typed(demo.client_of("zhoumin").get("/project/add").text)["assistant_id"] == str(wanted)


def test_a_copy_renews_a_project_with_all_it_was_applied_for(demo, former):
    zhou, path = demo.client_of("zhoumin"), f"/project/add?renews={former}"
    with demo.session() as session:
        old = session.get_one(Project, former)
        count = session.query(Project).count()
        other = session.scalars(
            select(Project.customer_id).where(Project.customer_id != old.customer_id)
        ).first()
    assert f'href="{path}"' in zhou.get(f"/project/show/{former}").text
    values = typed(zhou.get(path).text)
    kept = (
        "customer_id",
        "product_id",
        "bank_id",
        "term_months",
        "purpose",
        "purpose_note",
        "assistant_id",
    )
    assert {name: values[name] for name in kept} == {name: str(getattr(old, name)) for name in kept}
    refused = demo.post(zhou, path, **{**values, "customer_id": str(other)})
    assert refused.status_code == 400
    assert "续保的客户应为原项目" in refused.text
    with demo.session() as session:
        assert session.query(Project).count() == count
    answer = demo.post(zhou, path, **values)
    assert answer.status_code == 302, re.findall(r'error-block"[^>]*>([^<]+)', answer.text)
    with demo.session() as session:
        made = session.scalars(select(Project).order_by(Project.id.desc())).first()
        assert (made.renewed_from_id, made.state, made.amount) == (
            former,
            ProjectState.DRAFT,
            old.amount,
        )
    assert made.number in zhou.get(f"/project/show/{former}").text
    assert old.number in zhou.get(f"/project/show/{made.id}").text


def test_only_what_is_in_force_or_released_and_ones_own_is_renewed(demo, former):
    zhou = demo.client_of("zhoumin")
    with demo.session() as session:
        owner = session.get_one(Project, former).manager_id
        draft = session.scalars(
            select(Project).where(
                Project.state == ProjectState.RUNNING, Project.manager_id == owner
            )
        ).first()
        foreign = session.scalars(
            select(Project.id).where(Project.manager_id != owner, Project.assistant_id != owner)
        ).first()
    path = f"/project/add?renews={draft.id}"
    assert f'href="{path}"' not in zhou.get(f"/project/show/{draft.id}").text
    answer = demo.post(zhou, path, **typed(zhou.get(path).text))
    assert answer.status_code == 409
    assert "在保或已解保的项目才能续保" in answer.text
    for strange in (foreign, 999999, "abc"):
        assert zhou.get(f"/project/add?renews={strange}").status_code == 404


def test_the_file_of_a_customer_shows_both_hurdles_and_where_what_is_missing_is_filled_in(demo):
    with demo.session() as session:
        mine = select(Operator.employee_id).where(Operator.username == "zhoumin").scalar_subquery()
        found = (
            select(CorporateCustomer)
            .where(CorporateCustomer.manager_id == mine)
            .order_by(CorporateCustomer.id)
        )
        customer = session.scalars(found).first()
        items = select(CompletenessItem).where(
            CompletenessItem.customer_kind == CustomerKind.CORPORATE
        )
        weights = [(item.weight, item.is_required) for item in session.scalars(items)]
        file = standing(session, customer)
        bare = standing(
            session, CorporateCustomer(id=10**6, name="某公司", kind=CustomerKind.CORPORATE)
        )
    needed = sum(weight for weight, is_required in weights if is_required)
    assert file.rated_from == needed * 100 // sum(weight for weight, _ in weights)
    assert (file.is_ratable, bare.is_ratable, bare.percent < 80) == (True, False, True)
    address = f"/corporate_customer/show/{customer.id}"
    page = demo.client_of("zhoumin").get(address).text
    assert f"资料完整度 {file.percent}%，{file.rated_from}% 可评级，80% 可申请" in page
    assert "80% 可申请 ✓" in page
    for item in file.missing:
        place = (
            f"?tab={item.source}#tabs"
            if item.source in parts_of(type(customer))
            else f"#{item.source}-g"
        )
        assert re.search(rf'href="[^"]*{re.escape(place)}">{item.label}</a>', page), item.label
    others = demo.client_of("hejianguo").get(address).text
    assert f"{file.missing[0].label}</a>" not in others
    assert file.missing[0].label in others


def test_long_lists_are_typed_and_chinese_is_found_by_the_first_letters_of_its_pinyin(demo):
    """Industries and regions are a look-up, not a select of more than a hundred entries."""
    zhou = demo.client_of("zhoumin")
    page = zhou.get("/corporate_customer/add").text
    for name, typed_in, found in (
        ("region", "njs", "南京市"),
        ("industry", "tysbzz", "通用设备制造业"),
    ):
        path = f"/corporate_customer/lookup?field={name}"
        assert re.search(rf'data-lookup-url="{re.escape(path)}"[^>]*name="{name}"', page), name
        for text in (typed_in, typed_in.upper(), found):
            answer = zhou.get(f"{path}&q={text}").json
            assert found in [item["text"] for item in answer["result"]], text
        assert zhou.get(f"{path}&q=qxqxqx").json["result"] == []
