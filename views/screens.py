"""Every screen of the product, registered once: the generated ones and the hand-written ones."""

from typing import Any

# The verbs of each line of business put themselves into the table that views/verbs.py serves.
from views import (
    line_after,
    line_appraisal,
    line_closing,
    line_customer,
    line_ledger,
    line_setup,
    line_signing,
    line_turns,
)
from views.approvals import ApprovalInstanceView, ApprovalsView
from views.ballots import BallotView, MeetingItemView, ReviewMeetingView
from views.closing import ClosingView
from views.contracts import ContractView
from views.customer import CorporateCustomerView, CustomerRatingView, PersonalCustomerView
from views.day_end import DayEndView, JobRunView, JobsView
from views.documents import AttachmentView, CommentView, IssuedDocumentView
from views.flows import ApprovalFlowView
from views.home import DesktopView
from views.ledger import EventView, ReviewView, VoucherView
from views.logs import AuditLogView, MonthEndLogView
from views.openapi import DescriptionApi
from views.opening import OpeningView
from views.operators import EmployeeView, OperatorView
from views.preparation import PreparationView
from views.project import ProjectView
from views.proofs import DocumentCheckView, VerifyView
from views.register import register_entities
from views.repayments import RepaymentImportView
from views.report import LedgerReports
from views.report_assets import AssetClassReport
from views.report_exposure import ExposureReport
from views.search import SearchView
from views.security import PasswordView, RolesView
from views.settings import SettingsView
from views.setup import CompanyView, ParameterView, PostingRuleLineView
from views.statements import StatementReports
from views.verbs import VerbView

# The rules of what the administrator sets up register themselves as well.
from workflows import setup, templates

LINES = (
    line_after, line_appraisal, line_closing, line_customer, line_ledger, line_setup, line_signing, line_turns, setup,
    templates,
)  # fmt: skip
ENTITY_VIEWS = (
    ApprovalFlowView,
    ApprovalInstanceView,
    AuditLogView,
    CompanyView,
    ContractView,
    CorporateCustomerView,
    CustomerRatingView,
    EventView,
    IssuedDocumentView,
    JobRunView,
    MonthEndLogView,
    MeetingItemView,
    EmployeeView,
    OperatorView,
    ParameterView,
    PersonalCustomerView,
    PostingRuleLineView,
    ProjectView,
    ReviewMeetingView,
    VoucherView,
)
PAGES = (
    DesktopView,
    PasswordView,
    SettingsView,
    RolesView,
    ApprovalsView,
    BallotView,
    ReviewView,
    LedgerReports,
    StatementReports,
    ClosingView,
    OpeningView,
    ExposureReport,
    AssetClassReport,
    AttachmentView,
    CommentView,
    RepaymentImportView,
    DayEndView,
    PreparationView,
    DocumentCheckView,
    VerifyView,
    JobsView,
    SearchView,
    VerbView,
)


def register_screens(appbuilder: Any) -> None:
    """Register all views and REST resources; called once when the application is made."""
    register_entities(appbuilder, views=ENTITY_VIEWS)
    for page in PAGES:
        appbuilder.add_view_no_menu(page)
    appbuilder.add_api(DescriptionApi)
