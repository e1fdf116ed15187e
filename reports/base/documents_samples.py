"""Sample data of each document kind, for previews of templates; also the contract of what a template may use.

Amounts are yuan, rates are per year in % unless named daily, dates are business dates, moments are Shanghai time.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

_COMPANY: dict[str, Any] = {
    "name": "示例融资担保有限公司",
    "address": "示例市中心区金融大道 88 号 12 层",
    "phone": "0000-88886666",
    "legal_person": "王建国",
}
_CUSTOMER: dict[str, Any] = {
    "name": "示例精密制造有限公司",
    "id_number": "91310000MA1K000012",
    "address": "示例市高新区创业路 6 号",
    "legal_person": "李晓峰",
    "phone": "0000-66668888",
}
_BANK: dict[str, Any] = {
    "name": "示例银行股份有限公司",
    "branch": "高新支行",
    "address": "示例市高新区科技路 1 号",
    "principal": "周海燕",
}
_PROJECT: dict[str, Any] = {
    "number": "DB2026-0128",
    "product": "流动资金贷款担保",
    "amount": Decimal("5000000.00"),
    "term_months": 12,
    "purpose": "采购生产用原材料",
    "rate": Decimal("4.350000"),
    "repayment": "按月付息、到期还本",
    "fee_rate": Decimal("1.500000"),
    "start": date(2026, 12, 1),
    "end": date(2027, 11, 30),
    "share_pct": Decimal("80.00"),
    "counter_guarantee": "厂房抵押（评估价值 420 万元）；实际控制人夫妇连带责任保证；保证金 25 万元",
    "report": "申请人成立八年，主营汽车零部件，近三年收入持续增长，资产负债率 52%，现金流可以覆盖还款。",
    "risk_opinion": "整体风险可控；下游客户较集中，建议落实应收账款监管并按季检查资金用途。",
}
_RESOLUTION: dict[str, Any] = {
    "number": "SBH-2026-031",
    "date": date(2026, 11, 18),
    "result": "附条件通过",
    "valid_until": date(2027, 5, 17),
    "conditions": ["厂房抵押登记办理完毕", "实际控制人夫妇签订连带责任保证反担保合同"],
}
_CONTRACT: dict[str, Any] = {
    "main_number": "JK-2026-0901",
    "guarantee_number": "BZ-2026-0128",
    "entrusted_number": "WT-2026-0128",
    "fee_amount": Decimal("75000.00"),
    "deposit_amount": Decimal("250000.00"),
    "fee_schedule": "放款前一次缴清",
    "penalty_rate_daily_pct": Decimal("0.0300"),
    "occupation_rate_pct": Decimal("12.000000"),
    "grace_days": 60,
    "notice_days": 5,
    "sign_place": "示例市中心区",
    "court": "乙方住所地有管辖权的人民法院",
    "copies": 4,
    "special_terms": "乙方有权按季查验甲方的财务资料。",
}

_LOAN: dict[str, Any] = {
    "number": "JJ-2026-0901-01",
    "amount": Decimal("5000000.00"),
    "balance": Decimal("5000000.00"),
    "start": date(2026, 12, 1),
    "end": date(2027, 11, 30),
    "rate": Decimal("4.350000"),
}


def _doc(number: str, title: str) -> dict[str, Any]:
    return {"number": number, "date": date(2026, 11, 23), "title": title}


def _member(name: str, role: str, attendance: str, vote: str, opinion: str) -> dict[str, str]:
    return {"name": name, "role": role, "attendance": attendance, "vote": vote, "opinion": opinion}


def _line(
    summary: str, account: tuple[str, str], aux: str, debit: str, credit: str
) -> dict[str, Any]:
    return {
        "summary": summary,
        "account_code": account[0],
        "account_name": account[1],
        "aux": aux,
        "debit": Decimal(debit) if debit else None,
        "credit": Decimal(credit) if credit else None,
    }


SAMPLE_DATA: dict[str, dict[str, Any]] = {
    "intent_letter": {
        "company": _COMPANY,
        "doc": _doc("YX-2026-0045", "担保意向函"),
        "bank": _BANK,
        "customer": _CUSTOMER,
        "project": _PROJECT,
        "intent": {"valid_until": date(2027, 2, 22)},
    },
    "confirmation_letter": {
        "company": _COMPANY,
        "doc": _doc("QR-2026-0039", "担保确认函"),
        "bank": _BANK,
        "customer": _CUSTOMER,
        "project": _PROJECT,
        "resolution": _RESOLUTION,
    },
    "disbursement_notice": {
        "company": _COMPANY,
        "doc": _doc("FK-2026-0033", "放款通知单"),
        "bank": _BANK,
        "customer": _CUSTOMER,
        "project": _PROJECT,
        "contract": _CONTRACT,
        "account": {
            "name": "示例精密制造有限公司",
            "number": "6200000000000012345",
            "bank": "示例银行高新支行",
        },
        "notice": {"valid_until": date(2026, 12, 31)},
        "checklist": [
            {"name": "审保会决议在有效期内", "result": "SBH-2026-031，有效期至 2027-05-17"},
            {"name": "委托担保合同、保证合同已审核并签订", "result": "已签订"},
            {"name": "反担保措施已落实", "result": "抵押登记完成，保证合同已签订"},
            {"name": "担保费用已收取", "result": "75,000.00 元已到账"},
            {"name": "银行授信额度及集中度符合规定", "result": "符合"},
        ],
    },
    "drawdown_voucher": {
        "company": _COMPANY,
        "doc": _doc("FP-2026-0033", "放款凭证"),
        "bank": _BANK,
        "customer": _CUSTOMER,
        "project": _PROJECT,
        "contract": _CONTRACT,
        "drawdown": {
            "number": "JJ-2026-0901-01",
            "date": date(2026, 12, 1),
            "amount": Decimal("5000000.00"),
            "rate": Decimal("4.350000"),
            "start": date(2026, 12, 1),
            "end": date(2027, 11, 30),
            "account": "示例精密制造有限公司 6200000000000012345（示例银行高新支行）",
            "total_amount": Decimal("5000000.00"),
            "guaranteed": Decimal("4000000.00"),
            "plan": [
                {
                    "seq": 1,
                    "due_date": date(2027, 2, 28),
                    "principal": Decimal(0),
                    "interest": Decimal("54375.00"),
                    "balance": Decimal("5000000.00"),
                },
                {
                    "seq": 2,
                    "due_date": date(2027, 11, 30),
                    "principal": Decimal("5000000.00"),
                    "interest": Decimal("163125.00"),
                    "balance": Decimal(0),
                },
            ],
            "prepared_by": "陈立",
            "reviewed_by": "赵敏",
        },
    },
    "fee_receipt": {
        "company": _COMPANY,
        "doc": _doc("SJ-2026-0107", "收费收据"),
        "customer": _CUSTOMER,
        "project": _PROJECT,
        "receipt": {
            "payer": "示例精密制造有限公司",
            "method": "银行转账",
            "account": "示例银行高新支行 6200000000000054321",
            "total": Decimal("325000.00"),
            "items": [
                {
                    "name": "担保费",
                    "base": Decimal("5000000.00"),
                    "rate": Decimal("1.500000"),
                    "period": "2026-12-01 至 2027-11-30",
                    "amount": Decimal("75000.00"),
                },
                {
                    "name": "客户保证金",
                    "base": Decimal("5000000.00"),
                    "rate": Decimal("5.000000"),
                    "period": "",
                    "amount": Decimal("250000.00"),
                },
            ],
            "cashier": "孙丽",
            "handler": "陈立",
            "remark": None,
        },
    },
    "repayment_receipt": {
        "company": _COMPANY,
        "doc": _doc("HKHZ2026-00107", "还款回执"),
        "bank": _BANK,
        "customer": _CUSTOMER,
        "project": _PROJECT,
        "contract": _CONTRACT,
        "drawdown": _LOAN,
        "repayment": {
            "date": date(2027, 11, 30),
            "principal": Decimal("5000000.00"),
            "interest": Decimal("163125.00"),
            "extra_interest": Decimal(0),
            "total": Decimal("5163125.00"),
            "balance": Decimal(0),
            "is_settled": True,
            "remark": None,
            "handler": "陈立",
            "lines": [
                {
                    "seq": 2,
                    "due_date": date(2027, 11, 30),
                    "principal": Decimal("5000000.00"),
                    "interest": Decimal("163125.00"),
                    "is_done": True,
                }
            ],
        },
    },
    "overdue_notice": {
        "company": _COMPANY,
        "doc": _doc("QKTZ2026-00012", "欠款通知单"),
        "bank": _BANK,
        "customer": _CUSTOMER,
        "project": _PROJECT,
        "contract": _CONTRACT,
        "drawdown": _LOAN,
        "overdue": {
            "as_of": date(2027, 3, 5),
            "principal": Decimal(0),
            "interest": Decimal("54375.00"),
            "total": Decimal("54375.00"),
            "days": 5,
            "handler": "陈立",
            "lines": [
                {
                    "seq": 1,
                    "due_date": date(2027, 2, 28),
                    "principal": Decimal(0),
                    "interest": Decimal("54375.00"),
                    "days": 5,
                }
            ],
        },
    },
    "collection_letter": {
        "company": _COMPANY,
        "doc": _doc("CSH2027-00008", "催收函"),
        "bank": _BANK,
        "customer": _CUSTOMER,
        "project": _PROJECT,
        "contract": _CONTRACT,
        "recovery": {
            "number": "ZC2027-0003",
            "party": "江州明达机械有限公司",
            "as_of": date(2027, 6, 5),
            "opened_on": date(2027, 5, 6),
            "paid": Decimal("4033964.74"),
            "recovered": Decimal("500000.00"),
            "principal": Decimal("3533833.33"),
            "interest": Decimal("131.41"),
            "cost": Decimal("18000.00"),
            "surcharge": Decimal("60509.47"),
            "total": Decimal("3612474.21"),
            "due_on": date(2027, 6, 20),
            "handler": "陈立",
        },
    },
    "extension_notice": {
        "company": _COMPANY,
        "doc": _doc("BG2027-0012", "展期通知"),
        "bank": _BANK,
        "customer": _CUSTOMER,
        "project": _PROJECT,
        "contract": _CONTRACT,
        "extension": {
            "date": date(2027, 8, 20),
            "note": "JJ-2026-0901-01",
            "balance": Decimal("5000000.00"),
            "old_end": date(2027, 9, 1),
            "new_end": date(2028, 3, 1),
            "rate": Decimal("4.35"),
            "fee": Decimal("37500.00"),
            "consent": date(2027, 8, 15),
            "lines": [
                {"seq": 13, "due_date": date(2028, 3, 1), "principal": Decimal("5000000.00")}
            ],
        },
    },
    "release_notice": {
        "company": _COMPANY,
        "doc": _doc("JB2027-0031", "解保通知"),
        "bank": _BANK,
        "customer": _CUSTOMER,
        "project": _PROJECT,
        "contract": _CONTRACT,
        "release": {
            "date": date(2027, 12, 3),
            "basis": "借款本息已结清",
            "letter_no": "",
            "letter_date": None,
            "amount": Decimal(0),
            "deposit": Decimal("250000.00"),
            "settled_on": date(2027, 11, 30),
            "notes": "JJ-2026-0901-01",
            "items": [
                {
                    "kind": "抵押",
                    "name": "工业厂房",
                    "certificate": "（2021）示例市不动产权第 0012345 号",
                },
                {"kind": "保证", "name": "李晓峰夫妇", "certificate": ""},
            ],
        },
    },
    "review_minutes": {
        "company": _COMPANY,
        "doc": _doc("JY-2026-0031", "审保会会议纪要"),
        "customer": _CUSTOMER,
        "bank": _BANK,
        "project": _PROJECT,
        "meeting": {
            "number": "2026 年第 31 次",
            "date": date(2026, 11, 18),
            "place": "公司第一会议室",
            "chair": "王建国",
            "secretary": "何静",
            "should_attend": 7,
            "attended": 6,
            "withdrawn": 1,
            "guests": "项目经理陈立、风控经理赵敏",
        },
        "members": [
            _member("王建国", "主任委员", "出席", "同意", "同意。"),
            _member("刘洋", "风险总监", "出席", "附条件同意", "抵押登记办妥后放款。"),
            _member("马骏", "财务总监", "出席", "同意", "费率符合规定。"),
            _member("高翔", "法务经理", "出席", "附条件同意", "配偶一并签署反担保合同。"),
            _member("林芳", "外部委员", "出席", "同意", "同意。"),
            _member("郭强", "外部委员", "出席", "不同意", "下游客户过于集中。"),
            _member("徐宁", "业务总监", "回避", "", "与申请人存在关联关系。"),
        ],
        "votes": {
            "agree": 3,
            "conditional": 2,
            "refuse": 1,
            "defer": 0,
            "pass_pct": Decimal("83.33"),
            "required_pct": Decimal("66.67"),
        },
        "resolution": _RESOLUTION,
    },
    "board_resolution": {
        "company": _COMPANY,
        "doc": _doc("JY2026-0031", "公司决议"),
        "customer": _CUSTOMER,
        "bank": _BANK,
        "project": _PROJECT,
        "meeting": {"number": "SBH2026-031", "date": date(2026, 11, 18)},
        "votes": {"summary": "应到 6 人，表决 6 人：同意 3、附条件同意 2、不同意 1"},
        "resolution": _RESOLUTION,
        "signature": {"name": "何建国", "date": date(2026, 11, 20)},
    },
    "approval_sheet": {
        "company": _COMPANY,
        "doc": _doc("SP-2026-0412", "审批单"),
        "approval": {
            "business_type": "担保评审",
            "subject": "示例精密制造有限公司流动资金贷款担保 5,000,000.00 元",
            "applicant": "陈立",
            "department": "业务一部",
            "submitted_at": datetime(2026, 11, 12, 9, 30),  # noqa: DTZ001 - printed as it stands
            "finished_at": datetime(2026, 11, 16, 17, 5),  # noqa: DTZ001
            "status": "审批通过",
            "flow": "担保评审流程（第 3 版）",
        },
        "fields": [
            {"label": "项目编号", "value": "DB2026-0128"},
            {"label": "担保金额（元）", "value": "5,000,000.00"},
            {"label": "担保期限", "value": "12 个月"},
        ],
        "nodes": [
            {
                "name": "部门经理审批",
                "position": "业务部经理",
                "approver": "吴刚",
                "on_behalf_of": None,
                "action": "同意",
                "opinion": "客户经营正常，同意上报。",
                "filled": [],
                "signature": None,
                "at": datetime(2026, 11, 13, 10, 12),  # noqa: DTZ001
            },
            {
                "name": "风控复核",
                "position": "风控经理",
                "approver": "赵敏",
                "on_behalf_of": "刘洋",
                "action": "同意",
                "opinion": "反担保覆盖率 96%，同意提交审保会。",
                "filled": ["建议担保金额：4,800,000.00 元（原 5,000,000.00 元）"],
                "signature": None,
                "at": datetime(2026, 11, 16, 17, 5),  # noqa: DTZ001
            },
        ],
        "copies": [{"name": "钱进", "sent_at": "2026-11-16 17:05", "read_at": "2026-11-16 18:20"}],
    },
    "entrusted_contract": {
        "company": _COMPANY,
        "doc": _doc("WT-2026-0128", "委托担保合同"),
        "customer": _CUSTOMER,
        "bank": _BANK,
        "project": _PROJECT,
        "contract": _CONTRACT,
    },
    "guarantee_contract": {
        "company": _COMPANY,
        "doc": _doc("BZ-2026-0128", "保证合同"),
        "customer": _CUSTOMER,
        "bank": _BANK,
        "project": _PROJECT,
        "contract": _CONTRACT,
        "resolution": _RESOLUTION,
        "scope": {
            "liability": "连带责任保证",
            "share_pct": Decimal(80),
            "interest": True,
            "costs": True,
            "cap": None,
            "months": 36,
        },
    },
    "counter_contract": {
        "company": _COMPANY,
        "doc": _doc("FDB-2026-0128-1", "反担保合同"),
        "customer": _CUSTOMER,
        "bank": _BANK,
        "project": _PROJECT,
        "contract": _CONTRACT,
        "counter": {"kind": "抵押", "method": "不动产抵押", "amount": Decimal("2520000.00")},
        "provider": {
            "name": "示例精密制造有限公司",
            "id_number": "91310000MA1K000012",
            "address": "示例市高新区创业路 6 号",
            "phone": "0000-66668888",
            "spouse": None,
        },
        "collateral": [
            {
                "name": "工业厂房",
                "certificate": "（2021）示例市不动产权第 0012345 号",
                "location": "示例市高新区创业路 6 号",
                "quantity": "1 幢",
                "value": Decimal("4200000.00"),
                "rate": Decimal("60.00"),
            }
        ],
    },
    "maximum_contract": {
        "company": _COMPANY,
        "doc": _doc("ZGE2026-0001", "最高额保证合同"),
        "customer": _CUSTOMER,
        "bank": _BANK,
        "provider": {
            "name": "示例银行高新支行",
            "id_number": "",
            "address": "示例市高新区科技路 1 号",
            "phone": "0000-66668888",
        },
        "maximum": {
            "kind": "最高额保证合同",
            "is_entrustment": False,
            "is_guarantee": True,
            "limit": Decimal("5000000.00"),
            "is_revolving": True,
            "start": date(2026, 12, 1),
            "end": date(2028, 11, 30),
            "method": "抵押",
            "special_terms": "单笔金额不超过 300 万元。",
        },
        "collateral": [
            {
                "name": "工业厂房",
                "certificate": "（2021）示例市不动产权第 0012345 号",
                "value": Decimal("4200000.00"),
                "rate": Decimal("60.00"),
            }
        ],
        "contract": _CONTRACT,
    },
    "voucher": {
        "company": _COMPANY,
        "doc": _doc("记-2026-12-0018", "记账凭证"),
        "voucher": {
            "word": "记",
            "number": 18,
            "date": date(2026, 12, 1),
            "period": "2026年12期",
            "attachments": 2,
            "lines": [
                _line("收取担保费", ("1002", "银行存款"), "示例银行高新支行", "75000.00", ""),
                _line(
                    "收取担保费",
                    ("1122", "应收担保费"),
                    "示例精密制造有限公司 / DB2026-0128",
                    "",
                    "75000.00",
                ),
            ],
            "debit_total": Decimal("75000.00"),
            "credit_total": Decimal("75000.00"),
            "reversal_of": None,
            "prepared_by": "陈立",
            "reviewed_by": "马骏",
            "signed_by": "孙丽",
            "posted_by": "马骏",
        },
    },
}
