"""标签 (7.4): a sheet of QR codes for what lies in custody; reading one opens the item in the stock-take."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from reports.base.documents import own_pdf

# Three beside one another, eight below: common sheets of 70 x 36 mm.
_CSS = """
@page { size: A4 portrait; margin: 4.5mm 0; }
.label { float: left; box-sizing: border-box; width: 70mm; height: 36mm; padding: 3mm 2mm 2mm 4mm; overflow: hidden;
  page-break-inside: avoid; }
.label svg { float: left; width: 28mm; height: 28mm; margin-right: 2mm; }
.label p { margin: 0 0 1mm 0; font-size: 8pt; line-height: 1.3; text-indent: 0; text-align: left; }
.label b { font-size: 10pt; }
"""


@dataclass(frozen=True)
class Label:
    """What stands on one label: its code, what it is on, whose it is, and the address that its picture opens."""

    code: str
    name: str
    owner: str
    url: str


def _qr(url: str) -> Markup:
    import segno  # noqa: PLC0415 - loaded when first used

    drawn = segno.make_qr(url, error="m")
    return Markup(drawn.svg_inline(border=1, omitsize=True))  # noqa: S704 - drawn by us


def labels_pdf(labels: Sequence[Label], title: str) -> bytes:
    """All labels, 24 on a sheet."""
    body = "".join(
        f'<div class="label">{_qr(one.url)}<p><b>{escape(one.code)}</b></p>'
        f"<p>{escape(one.name[:60])}</p><p>{escape(one.owner[:40])}</p></div>"
        for one in labels
    )
    return own_pdf(body, title, _CSS)
