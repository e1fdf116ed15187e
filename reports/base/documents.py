"""Documents as PDF: the one module that knows the PDF engines (wkhtmltopdf, WeasyPrint, Typst).

Every engine is imported when first used; none reaches the network or a local file. Without wkhtmltopdf letters come
out of WeasyPrint; `missing_system_parts` says what the machine lacks.
"""

import hashlib
import io
import logging
import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from reports.base.documents_table import MAX_TABLE_ROWS, Orientation, typst_table
from reports.base.documents_template import (
    MAX_OUTPUT_CHARS,
    SIGNATURE,
    VOID_TAGS,
    DocumentError,
    render_letter,
    sanitise,
)
from reports.base.export import ExportColumn

__all__ = [
    "DOCUMENT_KINDS",
    "LETTER_CSS",
    "MAX_TABLE_ROWS",
    "Chapter",
    "DocumentError",
    "DocumentKind",
    "book_pdf",
    "chinese_fonts",
    "letter_pdf",
    "long_pdf",
    "missing_system_parts",
    "render_letter",
    "sanitise",
    "sheets_pdf",
    "table_pdf",
    "template_source",
    "verify_code",
]

logger = logging.getLogger(__name__)

MAX_NESTING = 40
ENGINE_SECONDS = 20
_BREAK = '<div style="page-break-before: always"></div>'
PageSize = Literal["A4", "A5"]
_TEMPLATES = Path(__file__).resolve().parents[2] / "models" / "seeds" / "templates"


@dataclass(frozen=True)
class DocumentKind:
    """A kind of document with a seeded template: its Chinese title, its paper and whether it may run over pages."""

    key: str
    title: str
    long: bool = False
    page_size: PageSize = "A4"
    orientation: Orientation = "portrait"


DOCUMENT_KINDS: dict[str, DocumentKind] = {
    kind.key: kind
    for kind in (
        DocumentKind("intent_letter", "担保意向函"),
        DocumentKind("confirmation_letter", "担保确认函"),
        DocumentKind("disbursement_notice", "放款通知单"),
        DocumentKind("drawdown_voucher", "放款凭证"),
        DocumentKind("fee_receipt", "收费收据", page_size="A5", orientation="landscape"),
        DocumentKind("repayment_receipt", "还款回执"),
        DocumentKind("overdue_notice", "欠款通知单"),
        DocumentKind("collection_letter", "催收函"),
        DocumentKind("extension_notice", "展期通知"),
        DocumentKind("release_notice", "解保通知"),
        DocumentKind("review_minutes", "审保会会议纪要", long=True),
        DocumentKind("board_resolution", "公司决议"),
        DocumentKind("approval_sheet", "审批单", long=True),
        DocumentKind("entrusted_contract", "委托担保合同", long=True),
        DocumentKind("guarantee_contract", "保证合同", long=True),
        DocumentKind("counter_contract", "反担保合同", long=True),
        DocumentKind("maximum_contract", "最高额合同", long=True),
        DocumentKind("voucher", "记账凭证", page_size="A5", orientation="landscape"),
    )
}

# One sheet for all letters and contracts. Old WebKit reads it too: no flex, no grid, no variables.
LETTER_CSS = """
body { margin: 0; font-size: 12pt; line-height: 1.65; color: #000; }
p { margin: 0 0 4pt 0; text-indent: 2em; text-align: justify; }
h1 { font-size: 20pt; text-align: center; letter-spacing: 4pt; margin: 10pt 0 8pt 0; font-weight: bold; }
h2 { font-size: 13pt; margin: 12pt 0 4pt 0; font-weight: bold; page-break-after: avoid; }
h3 { font-size: 12pt; margin: 8pt 0 2pt 0; font-weight: bold; page-break-after: avoid; }
.letterhead { text-align: center; color: #b0000f; font-size: 22pt; font-weight: bold; letter-spacing: 3pt;
  line-height: 1.4; padding-bottom: 5pt; border-bottom: 2.5pt solid #b0000f; }
.docno { text-align: right; font-size: 10.5pt; text-indent: 0; margin: 4pt 0 0 0; }
.subtitle { text-align: center; font-size: 11pt; text-indent: 0; margin: -6pt 0 8pt 0; }
.flush { text-indent: 0; }
.right { text-align: right; text-indent: 0; }
.center { text-align: center; text-indent: 0; }
.small { font-size: 9.5pt; line-height: 1.5; }
.box { border: 0.75pt solid #333; padding: 6pt 10pt; margin: 6pt 0; }
table { width: 100%; border-collapse: collapse; margin: 6pt 0 8pt 0; font-size: 10.5pt; line-height: 1.5; }
th, td { border: 0.75pt solid #333; padding: 3.5pt 6pt; text-align: left; vertical-align: middle; }
th { font-weight: bold; text-align: center; background-color: #f3f3f3; }
td.label { background-color: #f7f7f7; text-align: center; width: 18%; }
td.num, th.num { text-align: right; white-space: nowrap; }
.nowrap { white-space: nowrap; }
td.center { text-align: center; }
td p { text-indent: 0; margin: 0; }
thead { display: table-header-group; }
tr { page-break-inside: avoid; }
table.plain { margin: 0; }
table.plain td { border: 0; padding: 2pt 4pt; }
table.parties td { border: 0; padding: 2pt 0; font-size: 12pt; }
table.parties td.label { background-color: transparent; text-align: left; width: 21%; font-weight: bold; }
table.seal { width: 52%; margin: 16pt 0 0 48%; page-break-inside: avoid; }
table.seal td { border: 0; padding: 2pt 0; text-align: center; font-size: 12pt; line-height: 1.7; }
table.seal td.stamp { height: 50pt; vertical-align: top; color: #000; }
table.signatures { margin-top: 22pt; page-break-inside: avoid; }
img { height: 30pt; max-width: 100pt; }
table.signatures td { border: 0; width: 50%; padding: 3pt 8pt 12pt 0; vertical-align: top; font-size: 12pt; }
.contact { font-size: 9.5pt; text-indent: 0; color: #333; margin-top: 8pt; text-align: left; }
.verify { font-size: 8.5pt; text-indent: 0; color: #555; border-top: 0.75pt solid #999; margin-top: 8pt;
  padding-top: 4pt; text-align: center; line-height: 1.4; }
"""

# Top, right, bottom, left.
_MARGINS = {"A4": ("18mm", "22mm", "14mm", "24mm"), "A5": ("10mm", "12mm", "8mm", "14mm")}
_CSS_MARGINS = {paper: " ".join(sides) for paper, sides in _MARGINS.items()}
# wkhtmltopdf prints everything at 10/13 of its size and heeds neither --zoom nor --dpi without its own Qt.
_QT_CSS = "body { zoom: 1.3; }"
# Tried before a letter is let run over its page.
_COMPACT_CSS = """
body { font-size: 11.5pt; line-height: 1.5; } p { margin-bottom: 3pt; } h1 { margin: 8pt 0 6pt 0; }
table { line-height: 1.4; margin: 5pt 0; } th, td { padding: 2.5pt 6pt; }
table.seal { margin-top: 10pt; }
"""

# Across every page of what is not issued yet.
_MARK_CSS = """
body::before { content: "{mark}"; position: fixed; top: 90mm; left: 0; width: 100%; text-align: center;
  font-size: 96pt; letter-spacing: 24pt; color: #ececec; transform: rotate(-35deg); z-index: -1; }
"""

_SERIF = (
    "Noto Serif CJK SC",
    "Source Han Serif SC",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
)
_SANS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Noto Serif CJK SC",
)


# ---------------------------------------------------------------------------------------------- what the machine has
@lru_cache(maxsize=1)
def _installed_fonts() -> tuple[str, ...]:
    """Names of the installed font families that fontconfig counts as Chinese."""
    lister = shutil.which("fc-list")
    if lister is None:
        return ()
    try:
        done = subprocess.run(  # noqa: S603 - a program found on the path, fixed arguments
            [lister, ":lang=zh", "family"], capture_output=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    names = {
        name.strip()
        for line in done.stdout.decode("utf-8", "replace").splitlines()
        for name in line.split(",")
    }
    return tuple(sorted(names - {""}))


def chinese_fonts(*, serif: bool) -> tuple[str, ...]:
    """Families to print Chinese with, best first: Noto CJK, else WenQuanYi, else what fontconfig gives for zh."""
    installed = _installed_fonts()
    wanted = tuple(name for name in (_SERIF if serif else _SANS) if name in installed)
    return wanted or installed[:1]


def _wkhtmltopdf() -> str | None:
    return shutil.which("wkhtmltopdf")


def missing_system_parts() -> list[str]:
    """Say in Chinese what this machine lacks for good documents; an empty list means all is there."""
    missing = []
    if _wkhtmltopdf() is None:
        missing.append(
            "未安装 wkhtmltopdf：单页文书改用 WeasyPrint 生成（Debian：apt install wkhtmltopdf）"
        )
    if not _installed_fonts():
        missing.append("未安装中文字体：PDF 中的汉字无法显示（Debian：apt install fonts-noto-cjk）")
    elif not any(name in _installed_fonts() for name in _SERIF + _SANS):
        missing.append(
            "未安装推荐的中文字体 Noto CJK：PDF 字形可能不美观（Debian：apt install fonts-noto-cjk）"
        )
    return missing


# --------------------------------------------------------------------------------------------------------- letters
def template_source(key: str) -> str:
    """Text of the seeded template of a document kind; raises DocumentError for an unknown kind."""
    if key not in DOCUMENT_KINDS:
        raise DocumentError(f"没有名为“{key}”的文书模板")
    return (_TEMPLATES / f"{key}.html").read_text(encoding="utf-8")


def verify_code(html: str, number: str) -> str:
    """Short code of a document for 文档核验: the first 16 hex digits of SHA-256 over number and content, in fours."""
    digest = hashlib.sha256(f"{number}\n{html}".encode()).hexdigest().upper()
    return "-".join(digest[start : start + 4] for start in range(0, 16, 4))


def _verify_line(html: str, number: str) -> str:
    return f"本文件编号 {number}，校验码 {verify_code(html, number)}，可在系统“文档核验”中核对"


class _Depth(HTMLParser):
    """The deepest nesting of tables and other containers; layout time grows with its power."""

    _VOID = VOID_TAGS

    def __init__(self) -> None:
        super().__init__()
        self.deepest = self._open = 0
        self.deepest_table = self._tables = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its signature
        if tag in self._VOID:
            return
        self._open += 1
        self._tables += tag == "table"
        self.deepest = max(self.deepest, self._open)
        self.deepest_table = max(self.deepest_table, self._tables)

    def handle_endtag(self, tag: str) -> None:
        self._open -= tag not in self._VOID
        self._tables -= tag == "table"


def _page(html: str, *, title: str, number: str, css: str) -> str:
    """A whole page around a letter's body: sanitised again, since it may come from the database."""
    if len(html) > MAX_OUTPUT_CHARS:
        raise DocumentError("文书内容过大，请简化模板")
    body = sanitise(html)
    depth = _Depth()
    depth.feed(body)
    if depth.deepest > MAX_NESTING or depth.deepest_table > 4:
        raise DocumentError("文书中的表格或段落嵌套层数过多，请简化模板")
    fonts = ", ".join(f'"{name}"' for name in chinese_fonts(serif=True)) or "serif"
    verify = f'<p class="verify">{escape(_verify_line(html, number))}</p>' if number else ""
    return (
        f'<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>body {{ font-family: {fonts}, serif; }}{LETTER_CSS}{css}</style></head>"
        f"<body>{body}{verify}</body></html>"
    )


def letter_pdf(
    html: str,
    *,
    title: str,
    number: str,
    page_size: PageSize = "A4",
    orientation: Orientation = "portrait",
) -> bytes:
    """Print a letter (the result of `render_letter`) as PDF, with the verification line below it.

    wkhtmltopdf prints single pages where it is installed, else WeasyPrint does. A letter that runs over its page is
    set closer; if that does not help it comes out of WeasyPrint on several pages, numbered 第 x / y 页.
    Raises DocumentError when no engine can print it in time.
    """
    program = _wkhtmltopdf()
    paper = f"{page_size} {orientation}"
    for css in ("", _COMPACT_CSS):
        if program is not None:
            page = _page(html, title=title, number=number, css=_QT_CSS + css)
            pdf = _wkhtmltopdf_pdf(program, page, title, page_size, orientation)
            pages = 0 if pdf is None else _page_count(pdf)
        else:
            pdf, pages = _weasyprint_pdf(
                html, title=title, number=number, css=_page_css(paper, number) + css
            )
        if pdf is not None and pages == 1:
            return pdf
        if pdf is None:
            program = None
    return _weasyprint_pdf(
        html, title=title, number=number, css=_page_css(paper, number, numbered=True)
    )[0]


def long_pdf(
    html: str,
    *,
    title: str = "",
    number: str = "",
    mark: str = "",
    signatures: Mapping[str, bytes] = MappingProxyType({}),
) -> bytes:
    """Print a document of any length as A4 PDF with 第 x / y 页 at the foot of each page; `mark` lies across each.

    `signatures` are the pictures that it may show, by their digests.
    """
    css = _page_css("A4 portrait", number, numbered=True)
    if re.fullmatch(r"\w{1,12}", mark):
        css += _MARK_CSS.replace("{mark}", mark)
    return _weasyprint_pdf(html, title=title, number=number, css=css, signatures=signatures)[0]


def sheets_pdf(
    bodies: Sequence[str],
    *,
    title: str,
    page_size: PageSize = "A5",
    orientation: Orientation = "landscape",
) -> bytes:
    """Print several letters (results of `render_letter`) as one PDF, each beginning on a sheet of its own."""
    css = _page_css(f"{page_size} {orientation}", "")
    parts = [_weasyprint_pdf(html, title=title, number="", css=css)[0] for html in _batches(bodies)]
    if len(parts) == 1:
        return parts[0]
    from pypdf import PdfWriter  # noqa: PLC0415 - needed for long batches alone

    target, writer = io.BytesIO(), PdfWriter()
    for part in parts:
        writer.append(io.BytesIO(part))
    writer.write(target)
    return target.getvalue()


def _batches(bodies: Sequence[str]) -> Iterable[str]:
    """Letters put together as long as they are laid out in good time."""
    held: list[str] = []
    for body in bodies:
        if held and sum(map(len, held)) + len(body) > MAX_OUTPUT_CHARS // 4:
            yield _BREAK.join(held)
            held = []
        held.append(body)
    yield _BREAK.join(held)


@dataclass(frozen=True)
class Chapter:
    """A part of a book: its title as the table of contents names it, and its html."""

    title: str
    html: str


_BOOK_CSS = """
p { text-indent: 0; text-align: left; } h2.chapter { font-size: 15pt; margin-top: 18pt;
  padding-bottom: 3pt; border-bottom: 1pt solid #333; }
table { font-size: 9.5pt; } th { width: auto; white-space: normal; }
table.facts th { width: 17%; } table.facts td { width: 33%; }
.text { border: 0.75pt solid #999; padding: 8pt 14pt; margin: 6pt 0; } .text p { text-indent: 2em; }
table.front { margin: 12pt 0; } table.contents td { border: 0; border-bottom: 0.5pt dotted #999; padding: 2.5pt 2pt; }
h1.front { margin-top: 24pt; }
"""
_BATCH = 40_000  # characters laid out at once; more take ever longer


def book_pdf(
    chapters: Sequence[Chapter], *, title: str, head: str, front: Sequence[tuple[str, str]]
) -> bytes:
    """Print chapters as one A4 PDF with a front page, a table of contents, bookmarks and page numbers.

    `head` is the company, above each page; `front` says beneath the title what the book is about, and who made it.
    """
    from pypdf import PdfReader, PdfWriter  # noqa: PLC0415 - loaded when first used

    pages, places = 0, list[tuple[str, int]]()
    parts: list[bytes] = []
    for batch in _gathered(chapters):
        start = len(places)
        html = "".join(
            f'<h2 class="chapter" id="c{start + n}">{escape(one.title)}</h2>{sanitise(one.html)}'
            for n, one in enumerate(batch)
        )
        made = _laid_out(html, title, _book_css(head, first=pages + 1))
        at = {name: n for n, page in enumerate(made.pages, pages + 1) for name in page.anchors}
        places += [(one.title, at[f"c{start + n}"]) for n, one in enumerate(batch)]
        pages += len(made.pages)
        parts.append(made.write_pdf())
    cover = _laid_out(_cover(title, head, front, places, pages), title, _book_css("", first=0))
    writer, target = PdfWriter(), io.BytesIO()
    for part in (cover.write_pdf(), *parts):
        writer.append(PdfReader(io.BytesIO(part)), import_outline=False)
    for name, page in places:
        writer.add_outline_item(title=name, page_number=len(cover.pages) + page - 1)
    writer.add_metadata({"/Title": title})
    writer.write(target)
    return target.getvalue()


def _gathered(chapters: Sequence[Chapter]) -> Iterable[list[Chapter]]:
    held: list[Chapter] = []
    for one in chapters:
        if held and sum(len(other.html) for other in held) + len(one.html) > _BATCH:
            yield held
            held = []
        held.append(one)
    if held:
        yield held


def _cover(
    title: str,
    head: str,
    front: Sequence[tuple[str, str]],
    places: Sequence[tuple[str, int]],
    pages: int,
) -> str:
    facts = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in front)
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="num">{page}</td></tr>' for name, page in places
    )
    return (
        f'<div class="letterhead">{escape(head)}</div><h1 class="front">{escape(title)}</h1>'
        f'<table class="front">{facts}</table><h2>目录（正文共 {pages} 页）</h2>'
        f'<table class="contents">{rows}</table>'
    )


def _book_css(head: str, *, first: int) -> str:
    """The sheet of a book; `first` is the number of the first page, 0 where pages have none."""
    fonts = ", ".join(f'"{name}"' for name in chinese_fonts(serif=True)) or "serif"
    small = f"font-family: {fonts}; font-size: 9pt; color: #444;"
    quoted = "".join(sign for sign in head if sign not in '"\\<>\n\r')
    rule = f'@top-center {{ content: "{quoted}"; {small} }}' if head else ""
    if first:
        rule += f' @bottom-center {{ content: "第 " counter(page) " 页"; {small} }}'
    begin = f"@page :first {{ counter-reset: page {first} }}" if first > 1 else ""
    return f"@page {{ size: A4 portrait; margin: 20mm 18mm 18mm 20mm; {rule} }} {begin} {_BOOK_CSS}"


def _laid_out(body: str, title: str, css: str) -> Any:
    """A body of our own making, whose parts were sanitised, as pages."""
    import weasyprint

    fonts = ", ".join(f'"{name}"' for name in chinese_fonts(serif=True)) or "serif"
    page = (
        f'<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>body {{ font-family: {fonts}, serif; }}{LETTER_CSS}{css}</style></head><body>{body}</body></html>"
    )
    try:
        return weasyprint.HTML(string=page, url_fetcher=_no_fetcher()).render()
    except RecursionError:
        raise DocumentError("文书中的表格或段落嵌套层数过多，请简化模板") from None


def _page_count(pdf: bytes) -> int:
    """Pages of a PDF written by Qt, which leaves its page objects uncompressed."""
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


@lru_cache(maxsize=1)
def _kit_class() -> type[Any]:
    import pdfkit  # noqa: PLC0415 - an engine loads when first used

    class _Kit(pdfkit.PDFKit):  # type: ignore[misc]
        """pdfkit without its reading of options from the page (CVE-2025-26240)."""

        def _find_options_in_meta(self, content: str) -> dict[str, str]:  # noqa: ARG002 - its signature
            return {}

    return _Kit


def _wkhtmltopdf_options(
    title: str, page_size: PageSize, orientation: Orientation
) -> dict[str, Any]:
    """The page, and everything off that could reach the network, a file or a script."""
    margin = _MARGINS[page_size]
    # Should an address slip through, the proxy that nobody serves ends it.
    return {
        "page-size": page_size,
        "orientation": orientation.capitalize(),
        "title": title,
        "encoding": "UTF-8",
        "margin-top": margin[0],
        "margin-right": margin[1],
        "margin-bottom": margin[2],
        "margin-left": margin[3],
        "proxy": "http://127.0.0.1:9",
        "load-error-handling": "ignore",
        "load-media-error-handling": "ignore",
        "disable-local-file-access": "",
        "disable-javascript": "",
        "disable-external-links": "",
        "no-images": "",
        "disable-plugins": "",
        "quiet": "",
    }


def _wkhtmltopdf_pdf(
    program: str, page: str, title: str, page_size: PageSize, orientation: Orientation
) -> bytes | None:
    """Print one page through wkhtmltopdf; None when it fails, so that the other engine takes over."""
    import pdfkit  # noqa: PLC0415 - an engine loads when first used

    options = _wkhtmltopdf_options(title, page_size, orientation)
    kit = _kit_class()(
        page, "string", options=options, configuration=pdfkit.configuration(wkhtmltopdf=program)
    )
    # The child gets no proxy settings and no secrets of this process.
    env = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR")
        if name in os.environ
    }
    env |= {"LANG": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen"}
    try:
        done = subprocess.run(  # noqa: S603
            kit.command(),
            input=page.encode(),
            capture_output=True,
            timeout=ENGINE_SECONDS,
            env=env,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DocumentError("文书生成超时，请简化模板后重试") from None
    except OSError:
        logger.exception("wkhtmltopdf could not be started")
        return None
    if not done.stdout.startswith(b"%PDF"):
        logger.warning("wkhtmltopdf failed with code %s: %s", done.returncode, done.stderr[-500:])
        return None
    return done.stdout


def _page_css(paper: str, number: str, *, numbered: bool = False) -> str:
    """Paper, margins and, for several pages, the running foot and head of each."""
    if not numbered:
        return f"@page {{ size: {paper}; margin: {_CSS_MARGINS[paper[:2]]}; }}"
    fonts = ", ".join(f'"{name}"' for name in chinese_fonts(serif=True)) or "serif"
    small = f"font-family: {fonts}; font-size: 9pt; color: #444;"
    pages = '"第 " counter(page) " / " counter(pages) " 页"'
    rule = f"@page {{ size: {paper}; margin: 20mm 22mm 20mm 24mm; @bottom-center {{ content: {pages}; {small} }}"
    if re.fullmatch(r"[\w\-〔〕()（）\[\]. ]{1,64}", number):
        rule += f' @top-right {{ content: "编号：{number}"; {small} }}'
    return rule + " } @page :first { @top-right { content: none } }"


@lru_cache(maxsize=1)
def _fetcher_class() -> type[Any]:
    """A fetcher that refuses every address but the signatures at hand: WeasyPrint has neither network nor files."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class _NoFetcher(URLFetcher):  # type: ignore[misc]
        signatures: Mapping[str, bytes] = MappingProxyType({})

        def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ARG002 - its signature
            picture = self.signatures.get(url.removeprefix(SIGNATURE))
            if url.startswith(SIGNATURE) and picture is not None:
                return URLFetcherResponse(url, picture, {"Content-Type": "image/png"})
            raise ValueError("文书不能引用外部资源")

    return _NoFetcher


def _no_fetcher(signatures: Mapping[str, bytes] = MappingProxyType({})) -> Any:
    made = _fetcher_class()()
    made.signatures = signatures
    return made


def _weasyprint_pdf(
    html: str,
    *,
    title: str,
    number: str,
    css: str,
    signatures: Mapping[str, bytes] = MappingProxyType({}),
) -> tuple[bytes, int]:
    """Print through WeasyPrint; also says how many pages it took."""
    import weasyprint

    page = _page(html, title=title, number=number, css=css)
    try:
        document = weasyprint.HTML(string=page, url_fetcher=_no_fetcher(signatures)).render()
        return document.write_pdf(), len(document.pages)
    except RecursionError:
        raise DocumentError("文书中的表格或段落嵌套层数过多，请简化模板") from None


# ----------------------------------------------------------------------------------------------------------- tables
def table_pdf(  # noqa: PLR0913 - what stands on a printed page
    title: str,
    columns: Sequence[ExportColumn],
    rows: Iterable[Sequence[Any]],
    *,
    orientation: Orientation = "landscape",
    subtitle: str = "",
    totals: Sequence[Any] | None = None,
    foot: str = "",
    strong: Collection[int] = (),
    signs: Sequence[str] = (),
) -> bytes:
    """Print a list as A4 PDF with a repeated head and 第 x / y 页; at most 20,000 rows.

    `totals` is a last row in bold, one value per column; `foot` stands at the left of each page's foot (company, who
    printed it and when); `strong` are the numbers of rows in bold, `signs` the places for signatures below the table.
    Raises DocumentError for too many rows or columns.
    """
    return typst_table(
        title,
        columns,
        rows,
        orientation=orientation,
        subtitle=subtitle,
        totals=totals,
        foot=foot,
        fonts=chinese_fonts(serif=False),
        strong=strong,
        signs=signs,
    )
