"""Importing this module maps every table: migrations, `init` and the application start from it."""

from flask_appbuilder.security.sqla import models as security

from models import (
    appraisal,
    approval,
    bank,
    customer,
    customer_detail,
    customer_rating,
    drawdown,
    ledger,
    organization,
    product,
    project,
    records,
    resolution,
    search,
    signing,
    system,
)
from models.base.entity import Entity

AREAS = (
    organization, system, records, approval, customer, customer_detail, customer_rating, bank, product, project,
    appraisal, resolution, signing, drawdown, ledger, search, security,
)  # fmt: skip
metadata = Entity.metadata
