"""Customers: the generated screens, and from each customer's page straight to an application."""

from dataclasses import replace
from typing import Any, ClassVar

from models.base.entity import Entity
from models.customer import CorporateCustomer, Customer, CustomerStatus, PersonalCustomer
from views.base import EntityView
from views.pages import Action
from views.verbs import actions
from workflows.base.context import Ctx


class _CustomerView(EntityView):
    """What both kinds of customers add to the generated record page."""

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """Rating and watch lists, and 申请担保 once the customer has a grade."""
        assert isinstance(record, Customer)
        found = actions(ctx, record)
        if record.status is CustomerStatus.ACTIVE and ctx.actor.may("add", "project"):
            url, why = f"/project/add?customer_id={record.id}", _why_not_apply(record)
            apply = Action("申请担保", url, style="plain" if why else "primary", why_not=why)
            # One next step: who has a grade applies, who has none is rated first.
            found = [*(found if why else [replace(a, style="plain") for a in found]), apply]
        return found


def _why_not_apply(customer: Customer) -> str:
    if customer.is_blacklisted:
        return "黑名单客户不能申请担保"
    return "" if customer.grade else "请先完成等级评估"


class PersonalCustomerView(_CustomerView):
    """Screens of 个人客户."""

    model: ClassVar[Any] = PersonalCustomer


class CorporateCustomerView(_CustomerView):
    """Screens of 对公客户."""

    model: ClassVar[Any] = CorporateCustomer
