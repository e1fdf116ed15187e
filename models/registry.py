"""Importing this module maps every table: migrations, `init` and the application start from it."""

from flask_appbuilder.security.sqla import models as security

from models import (
    appraisal,
    approval,
    asset_split,
    bank,
    closing,
    customer,
    customer_detail,
    customer_rating,
    drawdown,
    financial_statement,
    ledger,
    organization,
    partner,
    product,
    project,
    proof,
    rating_model,
    records,
    release,
    repayment,
    resolution,
    search,
    sign_in,
    signing,
    snapshot,
    statement,
    system,
    termination,
    warning,
)
from models import (
    security as role_security,
)
from models.base.entity import Entity

AREAS = (
    organization, system, records, approval, customer, customer_detail, customer_rating, rating_model,
    financial_statement, bank, partner, product, project, appraisal, resolution, signing, drawdown, repayment,
    release, termination, warning, snapshot, ledger, asset_split, closing, statement, search, proof, role_security,
    sign_in, security,
)  # fmt: skip
metadata = Entity.metadata
