"""Every screen of the product, registered once: the generated ones and the hand-written ones."""

from typing import Any

from views.approval import flow_verbs
from views.approval.approvals import ApprovalInstanceView, ApprovalsView
from views.approval.flows import ApprovalFlowView
from views.customer import rating
from views.customer.customer import CorporateCustomerView, CustomerRatingView, PersonalCustomerView

# The verbs of each line of business put themselves into the table that views/kit/verbs.py serves.
from views.guarantee import appraisal, repaying, signing, turning
from views.guarantee.ballots import BallotView, MeetingItemView, ReviewMeetingView
from views.guarantee.contracts import ContractView
from views.guarantee.project import ProjectView
from views.guarantee.repayments import RepaymentImportView
from views.kit.documents import AttachmentView, CommentView, IssuedDocumentView
from views.kit.openapi import DescriptionApi
from views.kit.register import register_entities
from views.kit.report import LedgerReports
from views.kit.search import SearchView
from views.kit.verbs import VerbView
from views.ledger import closing_verbs, voucher_verbs
from views.ledger.asset_classes import AssetClassReport
from views.ledger.closing import ClosingView
from views.ledger.ledger import EventView, ReviewView, VoucherView
from views.ledger.opening import OpeningView
from views.ledger.statements import StatementReports
from views.statistics.exposure import ExposureReport
from views.system.day_end import DayEndView, JobRunView, JobsView
from views.system.logs import AuditLogView, MonthEndLogView
from views.system.operators import EmployeeView, OperatorView
from views.system.preferences import SettingsView
from views.system.preparation import PreparationView
from views.system.proofs import DocumentCheckView, VerifyView
from views.system.roles import PasswordView, RolesView
from views.system.setup import CompanyView, ParameterView, PostingRuleLineView
from views.workbench.desktop import DesktopView

# The rules of what the administrator sets up register themselves as well.
from workflows.system import setup, templates

LINES = (
    repaying,
    appraisal,
    closing_verbs,
    rating,
    voucher_verbs,
    flow_verbs,
    signing,
    turning,
    setup,
    templates,
)
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
