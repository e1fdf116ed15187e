"""Unmanaged models of the tables that the benchmark reads."""

from django.db import models


class Named(models.Model):
    """Something with a name."""

    name = models.CharField(max_length=100)

    class Meta:
        """No table of its own."""

        abstract = True

    def __str__(self) -> str:
        return self.name


class Department(Named):
    """业务部门."""

    class Meta:
        """An existing table."""

        managed = False
        db_table = "department"


class Employee(Named):
    """员工."""

    number = models.CharField(max_length=20)

    class Meta:
        """An existing table."""

        managed = False
        db_table = "employee"


class Product(Named):
    """产品."""

    class Meta:
        """An existing table."""

        managed = False
        db_table = "product"


class PartnerBank(Named):
    """合作银行."""

    class Meta:
        """An existing table."""

        managed = False
        db_table = "partner_bank"


class Customer(Named):
    """客户."""

    kind = models.CharField(max_length=32)
    number = models.CharField(max_length=40)
    region = models.CharField(max_length=32, blank=True, null=True)
    address = models.CharField(max_length=200, blank=True, null=True)
    contact_phone = models.CharField(max_length=30, blank=True, null=True)
    is_guarantee_customer = models.BooleanField()
    is_credit_customer = models.BooleanField()
    grade = models.CharField(max_length=32, blank=True, null=True)
    watch = models.CharField(max_length=32, blank=True, null=True)
    status = models.CharField(max_length=32)
    note = models.CharField(max_length=300, blank=True, null=True)
    manager = models.ForeignKey(Employee, models.RESTRICT, blank=True, null=True)
    department = models.ForeignKey(Department, models.RESTRICT, blank=True, null=True)

    class Meta:
        """An existing table."""

        managed = False
        db_table = "customer"


class CorporateCustomer(Customer):
    """对公客户."""

    customer = models.OneToOneField(
        Customer, models.CASCADE, parent_link=True, primary_key=True, db_column="id"
    )
    short_name = models.CharField(max_length=40, blank=True, null=True)
    uscc = models.CharField(max_length=18)
    legal_person = models.CharField(max_length=50, blank=True, null=True)
    registered_capital = models.BigIntegerField(blank=True, null=True)
    established_on = models.DateField(blank=True, null=True)
    industry = models.CharField(max_length=32, blank=True, null=True)
    scale = models.CharField(max_length=32, blank=True, null=True)
    employee_count = models.IntegerField(blank=True, null=True)
    business_scope = models.TextField(blank=True, null=True)
    registered_address = models.CharField(max_length=200, blank=True, null=True)
    contact = models.CharField(max_length=50, blank=True, null=True)
    phone = models.CharField(max_length=30, blank=True, null=True)

    class Meta:
        """An existing table."""

        managed = False
        db_table = "corporate_customer"


class Project(models.Model):
    """担保项目."""

    number = models.CharField(max_length=40)
    customer = models.ForeignKey(Customer, models.RESTRICT)
    product = models.ForeignKey(Product, models.RESTRICT)
    bank = models.ForeignKey(PartnerBank, models.RESTRICT)
    amount = models.BigIntegerField()
    term_months = models.IntegerField()
    purpose = models.CharField(max_length=32)
    purpose_note = models.CharField(max_length=200, blank=True, null=True)
    rate_annual_pct = models.BigIntegerField()
    repayment_method = models.CharField(max_length=32)
    fee_rate_pct = models.BigIntegerField()
    bank_share_pct = models.BigIntegerField()
    counter_offer = models.TextField(blank=True, null=True)
    small_kind = models.CharField(max_length=32)
    is_farmer = models.BooleanField()
    is_agriculture = models.BooleanField()
    is_internet = models.BooleanField()
    is_housing = models.BooleanField()
    issuer_grade = models.CharField(max_length=32)
    manager = models.ForeignKey(
        Employee, models.RESTRICT, related_name="managed", blank=True, null=True
    )
    assistant = models.ForeignKey(
        Employee, models.RESTRICT, related_name="assisted", blank=True, null=True
    )
    department = models.ForeignKey(Department, models.RESTRICT, blank=True, null=True)
    stage = models.CharField(max_length=32)
    state = models.CharField(max_length=32)
    stage_since = models.DateField(blank=True, null=True)
    applied_on = models.DateField(blank=True, null=True)
    end_on = models.DateField(blank=True, null=True)
    balance = models.BigIntegerField()

    class Meta:
        """An existing table."""

        managed = False
        db_table = "project"

    def __str__(self) -> str:
        return self.number
