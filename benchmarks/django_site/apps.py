"""Configuration of the application."""

from django.apps import AppConfig


class BenchConfig(AppConfig):
    """Models on the product's tables."""

    name = "benchmarks.django_site"
    label = "bench"
