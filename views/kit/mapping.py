"""列对应: name by hand what each column of a file holds, once for each bank or product that writes it."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from flask import current_app, request
from markupsafe import Markup
from wtforms import Field as WTField
from wtforms import Form, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from models.base.errors import BusinessError, NotFound
from views.kit import edge
from views.kit.pages import Field, FieldGroup, FormPage
from workflows.base import sheet_mapping
from workflows.base.file_store import write_whole
from workflows.base.sheet_mapping import Guess
from workflows.base.sheets import Kind, letter

_SHA = re.compile(r"[0-9a-f]{64}")
_SUFFIX = re.compile(r"\.(xlsx|xls|csv)$", re.IGNORECASE)
File = tuple[str, bytes]


def keep(data: bytes) -> str:
    """Keep an uploaded file until it is confirmed; gives its key."""
    key = hashlib.sha256(data).hexdigest()
    write_whole(_path(key), data)
    return key


def kept(key: str, name: str) -> File:
    """A file that was kept, by its key and name. Raises NotFound."""
    if not _SHA.fullmatch(key) or not _SUFFIX.search(name) or not _path(key).is_file():
        raise NotFound("上传的文件已不在，请重新上传")
    return name[-200:], _path(key).read_bytes()


def _path(key: str) -> Path:
    return Path(current_app.config["SETTINGS"].data_dir) / "imports" / key


def save(kind: Kind, file: File) -> str:
    """Remember what was sent for a file; gives the source's name. Raises FieldErrors by column."""
    with edge.writing() as ctx:
        keys = [request.form.get(f"c{at}", "") for at in range(200) if f"c{at}" in request.form]
        return sheet_mapping.remember(
            ctx, kind, file[1], filename=file[0], source=request.form.get("source", ""), keys=keys
        ).source


def page(
    kind: Kind,
    file: File,
    url: str,
    cancel_url: str,
    crumbs: Sequence[tuple[str, str]],
    error: BusinessError | None = None,
) -> FormPage:
    """A select for each column of the file, filled with what it seems to hold. Raises BusinessError without a head."""
    found = sheet_mapping.guess(kind, file[1], file[0], edge.current_ctx().session)
    if found is None:
        raise error or BusinessError("文件中没有找到表头：表头一行应写明各列的名称")
    errors = dict(error.field_errors) if error is not None and error.field_errors else {}
    top = [("", "", error.message)] if error is not None and not errors else []
    own = [(name, "", message) for name, messages in errors.items() for message in messages]
    hidden = [
        edge.csrf_input(),
        *(_hidden(name, value) for name, value in (("key", keep(file[1])), ("name", file[0]))),
    ]
    return FormPage(
        f"列对应：{kind.label}",
        [FieldGroup("", fields(kind, found, errors))],
        url,
        cancel_url,
        hidden=hidden,
        submit_label="保存并预览",
        errors=[*top, *own],
        crumbs=list(crumbs),
        note=f"{file[0]}，工作表“{found.sheet}”第 {found.row_no} 行为表头；说明各列是什么，同一来源的文件以后自动识别",
    )


def group(
    kind: Kind, file: File, errors: Mapping[str, Sequence[str]], *, anew: bool = False
) -> FieldGroup | None:
    """The columns of a file as part of another form, where nobody knows them, they were wrong, or `anew`; else None."""
    session = edge.session()
    try:
        if not (anew or sent() or sheet_mapping.is_unknown(kind, file[1], file[0], session)):
            return None
        found = sheet_mapping.guess(kind, file[1], file[0], session)
    except BusinessError:
        return None  # not even a workbook, which its own message says
    if found is None:
        return None
    label = f"列对应：{kind.label}（工作表“{found.sheet}”第 {found.row_no} 行为表头）"
    return FieldGroup(label, fields(kind, found, errors))


def sent() -> bool:
    """Whether columns were said with this request."""
    return "c0" in request.form


def is_own(name: str) -> bool:
    """Whether a message belongs to a control of the columns."""
    return name == "source" or bool(re.fullmatch(r"c\d+", name))


def fields(
    kind: Kind, found: Guess, errors: Mapping[str, Sequence[str]], *, asks_source: bool = True
) -> list[Field]:
    """A select for each column; who writes such files is asked for where others will send them too."""
    choices = [
        SelectChoice("", "（不读取）"),
        *(SelectChoice(field.key, field.title) for field in kind.fields),
    ]
    members: dict[str, SelectField | StringField] = {
        "source": StringField(
            "来源（银行或财务软件）", render_kw={"class_": "form-control", "maxlength": 60}
        )
    }
    for at in range(len(found.heads)):
        members[f"c{at}"] = SelectField(choices=choices, render_kw={"class_": "form-control"})
    form = type("MappingForm", (Form,), members)(
        data={
            "source": request.form.get("source", ""),
            **{f"c{at}": request.form.get(f"c{at}", key) for at, key in enumerate(found.keys)},
        }
    )
    shown = [_source(form["source"], errors)] if asks_source else []
    for at in range(len(found.heads)):
        label = f"{letter(at)} 列 {found.heads[at] or '（无列名）'}"
        samples = "、".join(found.samples[at])
        shown.append(
            Field(
                f"c{at}",
                label,
                form[f"c{at}"],
                "enum",
                False,
                "",
                f"如 {samples}" if samples else "空列",
                tuple(errors.get(f"c{at}", ())),
            )
        )
    return shown


def _source(control: WTField, errors: Mapping[str, Sequence[str]]) -> Field:
    label, told = "来源（银行或财务软件）", tuple(errors.get("source", ()))
    return Field("source", label, control, "text", True, "", "如：江州银行、用友 U8", told, True)


def _hidden(name: str, value: str) -> Markup:
    return Markup('<input type="hidden" name="%s" value="%s">') % (name, value)
