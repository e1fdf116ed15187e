"""Custom fields (10.1): what an administrator adds to the records of an entity, in force at the next request."""

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, Spec, entities
from models.base.kinds import Kind, MenuGroup, Module, SpecKind

_SHOWN, _RULES = "填写与显示", "公式与条件"
_OPEN_TO_FIELDS = (SpecKind.MASTER, SpecKind.DOCUMENT)


class CustomKind(Kind):
    """What a custom field holds."""

    TEXT = "文字"
    LONG_TEXT = "多行文字"
    INT = "整数"
    MONEY = "金额"
    RATE = "数值"
    DATE = "日期"
    BOOL = "是否"
    DICTIONARY = "字典"
    REFERENCE = "引用"


class FieldMask(Kind):
    """How personal data in a custom field are shown."""

    ID_NUMBER = "证件号码"
    MOBILE = "电话"
    ACCOUNT = "账号"
    ADDRESS = "地址"


def extensible() -> dict[str, str]:
    """Label by table of the entities that may be given fields: those that people enter on a generated form."""
    found = [m for m in entities() if m.spec.kind in _OPEN_TO_FIELDS and "add" in m.spec.saved_by]
    return {str(m.__tablename__): m.spec.label for m in found if m.__tablename__ != "custom_field"}


class CustomField(Entity):
    """One field that an administrator has added to an entity; its values stand in `extra` of the records."""

    spec = Spec(
        "自定义字段",
        Module.SYSTEM,
        group=MenuGroup.BASICS,
        title="label",
        listed=("label", "table_name", "kind", "is_required", "is_active", "rank", "code"),
        searched=("code", "label"),
        filtered=("table_name", "is_active"),
        order="table_name,rank,code",
        key=("table_name", "code"),
        rank=55,
        help="给任一业务对象增加的字段，保存后下一次打开页面即生效，不用重启。已有数据的字段不能删除或改变类型，可以停用。",
        demo=(
            {
                "table_name": "guarantee_company",
                "code": "rating_agency",
                "label": "资信评级机构",
                "kind": "TEXT",
                "group": "其他信息",
            },
        ),
        config=Config(),
    )
    __table_args__ = (
        UniqueConstraint("table_name", "code", name="uq_custom_field_code"),
        UniqueConstraint("table_name", "label", name="uq_custom_field_label"),
        CheckConstraint("scale BETWEEN 0 AND 6", name="ck_custom_field_scale"),
    )

    table_name: Mapped[str] = c.coded(
        "业务对象", "extensible", extensible, 64, required=True, index=True
    )
    code: Mapped[str] = c.text(
        "字段编码", 32, required=True, help="小写字母开头的字母、数字、下划线；接口用这个名称"
    )
    label: Mapped[str] = c.text("字段名称", 30, required=True)
    kind: Mapped[CustomKind] = c.enum("类型", CustomKind, required=True, default=CustomKind.TEXT)
    length: Mapped[int] = c.whole(
        "最多字数", minimum=1, maximum=1000, required=True, default=100, help="文字"
    )
    scale: Mapped[int] = c.whole("小数位数", maximum=6, required=True, default=2, help="数值")
    dictionary_id: Mapped[int | None] = c.reference("字典", "dictionary_type")
    target: Mapped[str | None] = c.coded("引用的对象", "extensible_target", extensible, 64)
    unit: Mapped[str | None] = c.text("单位", 16)
    mask: Mapped[FieldMask | None] = c.enum("脱敏方式", FieldMask, help="文字中的个人信息")
    group: Mapped[str | None] = c.text("分组", 30, help="表单和记录页上的小标题")
    help: Mapped[str | None] = c.text("填写说明", 200)
    is_required: Mapped[bool] = c.flag("必填", group=_SHOWN)
    is_filtered: Mapped[bool] = c.flag("可筛选", default=True, group=_SHOWN)
    is_listed: Mapped[bool] = c.flag(
        "列表默认显示", group=_SHOWN, help="列在列表的最后；不选的仍可用列表上方的“列”选出"
    )
    is_exported: Mapped[bool] = c.flag(
        "可导出", default=True, group=_SHOWN, help="不选时任何导出文件都没有这一列"
    )
    visible_to: Mapped[str | None] = c.text(
        "可查看的角色", 200, group=_SHOWN, help="多个角色用“、”分隔；留空为所有能看这个对象的人"
    )
    editable_by: Mapped[str | None] = c.text(
        "可修改的角色", 200, group=_SHOWN, help="多个角色用“、”分隔；留空为所有能修改这个对象的人"
    )
    formula: Mapped[str | None] = c.row_rule(
        "公式",
        by="table_name",
        is_formula=True,
        group=_RULES,
        help="填写后由系统计算，不能手工填写，如 合计(反担保的金额) ÷ 担保金额",
    )
    visible_if: Mapped[str | None] = c.row_rule(
        "显示条件",
        by="table_name",
        group=_RULES,
        help="满足时才要填写，不满足时不保存这一项；留空为总是显示",
    )
    required_if: Mapped[str | None] = c.row_rule(
        "必填条件", by="table_name", group=_RULES, help="满足时必填"
    )
    rank: Mapped[int] = c.whole("显示顺序", required=True, default=100, group=_SHOWN)
    is_active: Mapped[bool] = c.flag("启用", default=True, index=True, group=_SHOWN)
