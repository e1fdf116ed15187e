"""最近打开, and what others changed since one looked last; neither says a word of what is out of reach by now."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from models.customer.customer import CorporateCustomer, Customer
from models.system.look import RecordLook
from models.system.organization import Department, Employee
from workflows.system import looks

AN_HOUR = timedelta(hours=1)


def opened(client):
    answer = client.get("/search", headers={"Accept": "application/json"})
    return [one["url"] for one in answer.get_json()["result"]]


def test_what_was_opened_is_found_again_and_what_changed_is_said(demo):
    zhou, chen = demo.client_of("zhoumin"), demo.client_of("chenli")
    with demo.session() as session:
        mine = select(CorporateCustomer).join(Employee, Employee.id == CorporateCustomer.manager_id)
        first, other = session.scalars(mine.where(Employee.name == "周敏").limit(2)).all()
    paths = [f"/corporate_customer/show/{one.id}" for one in (first, other)]
    for path in (*paths, paths[0]):
        assert "查看后，他人有" not in zhou.get(path).get_data(as_text=True)
    assert opened(zhou)[:2] == paths  # each once, the latest first
    assert paths[0] not in opened(chen)
    with demo.session() as session:
        for look in session.scalars(select(RecordLook)):
            look.at -= AN_HOUR
        session.commit()
    form = chen.get(f"/corporate_customer/edit/{first.id}").get_data(as_text=True)
    seen = form.split('name="version" value="')[1].split('"')[0]
    answer = chen.put(
        f"/api/v1/corporate_customer/{first.id}",
        json={"note": "年审已过", "version": int(seen)},
        headers={"X-CSRFToken": demo.token(chen)},
    )
    assert answer.status_code == 200
    page = zhou.get(paths[0]).get_data(as_text=True)
    assert "查看后，他人有 1 处变更" in page
    assert 'class="new"' in zhou.get(f"{paths[0]}?tab=timeline").get_data(as_text=True)
    assert "查看后，他人有" not in chen.get(paths[0]).get_data(as_text=True)
    # what leaves one's scope is not even named
    with demo.session() as session:
        far = session.scalars(
            select(Employee.id)
            .join(Department, Department.id == Employee.department_id)
            .where(Department.name.like("业务二部%"))
        ).first()
        department = session.get_one(Employee, far).department_id
        moved = {"manager_id": far, "department_id": department}
        session.execute(update(Customer).where(Customer.id == first.id).values(moved))
        session.commit()
    assert zhou.get(paths[0]).status_code == 404
    assert paths[0] not in opened(zhou)
    assert paths[1] in opened(zhou)


def test_only_the_last_few_hundred_are_kept(demo, monkeypatch):
    monkeypatch.setattr(looks, "KEPT", 3)
    now = datetime.now(UTC)
    with demo.session() as session:
        person = session.scalars(select(Employee.id).order_by(Employee.id.desc())).first()
        for number in range(6):
            looks.note(session, person, ("customer", number + 1), now + number * AN_HOUR)
        mine = select(RecordLook.record_id).where(RecordLook.employee_id == person)
        kept = sorted(session.scalars(mine))
        assert kept == [4, 5, 6]
        looks.note(session, person, ("customer", 6), now + 6 * AN_HOUR)
        again = session.scalars(
            select(RecordLook).where(RecordLook.employee_id == person, RecordLook.record_id == 6)
        ).one()
        assert again.before_at == now + 5 * AN_HOUR
