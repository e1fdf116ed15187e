"""Two admin sites over the same models: 100 rows a page (Django's own), and 25."""

from typing import Any

from django.contrib import admin
from django.urls import path

from benchmarks.django_site.models import CorporateCustomer, Project


class ProjectAdmin(admin.ModelAdmin):
    """Projects."""

    list_display = (
        "number",
        "customer",
        "product",
        "bank",
        "amount",
        "balance",
        "end_on",
        "stage",
        "state",
        "manager",
        "stage_since",
    )
    search_fields = ("number", "purpose_note")


class CorporateCustomerAdmin(admin.ModelAdmin):
    """Corporate customers."""

    list_display = (
        "number",
        "name",
        "uscc",
        "legal_person",
        "industry",
        "scale",
        "region",
        "grade",
        "watch",
        "manager",
    )
    search_fields = ("number", "name", "uscc", "legal_person", "short_name")


def _register(site: admin.AdminSite, **options: Any) -> None:
    for model, view in ((Project, ProjectAdmin), (CorporateCustomer, CorporateCustomerAdmin)):
        site.register(model, view, **options)


short = admin.AdminSite(name="short")
_register(admin.site)
_register(short, list_per_page=25)
urlpatterns = [path("admin/", admin.site.urls), path("short/", short.urls)]
