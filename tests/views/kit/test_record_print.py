"""打印: what the page shows on paper; personal data in full only for who may reveal it, and then it is logged."""

import io

from pypdf import PdfReader
from sqlalchemy import select

from models.customer.customer import CorporateCustomer
from models.customer.detail import Executive
from models.system.organization import Employee
from models.system.setup import AuditLog


def words(answer):
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    pages = PdfReader(io.BytesIO(answer.data)).pages
    return "".join("".join(page.extract_text() for page in pages).split())


def test_a_record_is_printed_with_its_tables_masked_unless_its_reader_may_reveal(demo):
    with demo.session() as session:
        mine = select(CorporateCustomer).join(Employee, Employee.id == CorporateCustomer.manager_id)
        mine = mine.join(Executive, Executive.corporate_customer_id == CorporateCustomer.id)
        mine = mine.where(Employee.name == "周敏", CorporateCustomer.phone.is_not(None))
        company = session.scalars(mine.limit(1)).one()
        manager = session.scalars(
            select(Executive.name).where(Executive.corporate_customer_id == company.id)
        ).first()
        path, phone, key = f"/corporate_customer/print/{company.id}", company.phone, company.id
    zhou, analyst = demo.client_of("zhoumin"), demo.client_of("analyst")
    masked = words(analyst.get(path))
    assert company.name in masked
    assert manager in masked
    assert f"{phone[:3]}****{phone[-4:]}" in masked
    assert phone not in masked
    assert analyst.get(f"{path}?plain=1").status_code == 403
    assert phone in words(zhou.get(f"{path}?plain=1"))
    with demo.session() as session:
        noted = select(AuditLog.note).where(
            AuditLog.table_name == "corporate_customer", AuditLog.record_id == key
        )
        notes = [
            note for note in session.scalars(noted) if note and note.startswith("打印，含原值")
        ]
    assert len(notes) == 1
    assert zhou.get("/corporate_customer/print/999999").status_code == 404
