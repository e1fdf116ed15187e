"""Look through an uploaded workbook before any reader opens it: bombs, encryption, boundless sheets.

The reader builds each sheet as one dense block in memory and trusts what the file says of itself, so a file of a few
kilobytes could ask for terabytes. Everything is counted here first, on what was really unpacked.
"""

import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Final
from xml.etree import ElementTree as ET
from xml.parsers import expat

import olefile

from models.base.errors import BusinessError

ZIP_MAGIC: Final = b"PK\x03\x04"
OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

# What reading a broken archive raises, whoever reads it.
BROKEN_ARCHIVE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
)
_ENTRIES_MAX = 1000
_PIECE = 1024 * 1024
_BROKEN = "文件已损坏，请在 Excel 中打开后另存为 .xlsx 再上传"
_ENCRYPTED = "文件已加密，请在 Excel 中取消打开密码后再上传"
_WRONG_TYPE = "文件内容不是 Excel 工作簿，请上传 .xlsx、.xls 或 .csv 文件"
_TOO_BIG = "文件解压后过大，疑似压缩炸弹，已拒绝读取"
_REFERENCE = re.compile(r"([A-Za-z]{1,4})([0-9]{1,8})")
_ERROR_CELL = re.compile(rb"""(<(?:\w+:)?c\b[^>]*?\st=)(["'])e\2""")
_SHEET_MARK = re.compile(rb"<(?:\w+:)?sheetData\b")
_HIDDEN_ROW = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\shidden=["'](?:1|true)["'][^>]*>""")
_ROW_NUMBER = re.compile(rb"""\sr=["']([0-9]{1,8})["']""")

# Records of the old binary format that put a value into a cell, and the few others that matter here.
_BIFF_CELLS = {0x0006, 0x00BD, 0x00D6, 0x00FD, 0x0203, 0x0204, 0x0205, 0x027E}
_BIFF_MULRK, _BIFF_DIMENSIONS, _BIFF_FILEPASS, _BIFF_BOF = 0x00BD, 0x0200, 0x002F, 0x0809
_BIFF_BOUNDSHEET, _BIFF_MACROS = 0x0085, (b"\x01", b"\x06")
_BIFF_ROWS, _BIFF_COLS = 65536, 256


class WorkbookError(BusinessError):
    """The uploaded file cannot be read as a workbook; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a workbook may hold; unpacked is in bytes, ratio is unpacked to packed."""

    rows: int
    cols: int
    unpacked: int
    ratio: int


@dataclass(slots=True)
class _Extent:
    """The filled area of the sheet being read, and of all sheets together."""

    limits: Limits
    rows: int = 0
    cols: int = 0
    area: int = 0

    def reach(self, row: int, col: int) -> None:
        """Count a filled cell (1-based)."""
        self.rows, self.cols = max(self.rows, row), max(self.cols, col)
        if self.rows > self.limits.rows:
            raise WorkbookError(f"工作表超过 {self.limits.rows} 行，请拆分后再上传")
        if self.cols > self.limits.cols:
            raise WorkbookError(f"工作表超过 {self.limits.cols} 列，请删除多余的列后再上传")

    def next_sheet(self) -> None:
        """Close the sheet and start another."""
        self.area += self.rows * self.cols
        self.rows = self.cols = 0
        if self.area > self.limits.rows * self.limits.cols:
            raise WorkbookError("工作簿各工作表合计内容过大，请拆分后再上传")


def guard_xlsx(data: bytes, limits: Limits, plain: IO[bytes]) -> None:
    """Unpack within the limits and write the same workbook as a plain, uncompressed archive to an open file.

    The reader then sees exactly the bytes that were counted, whatever the original headers claimed. Cells in error
    (#REF!) become text, because the reader would show them as empty. Raises WorkbookError.
    """
    scan = _XmlScan(_Extent(limits))
    with zipfile.ZipFile(plain, "w", zipfile.ZIP_STORED) as archive:
        for name, content in _unpack(data, limits):
            if content.startswith(ZIP_MAGIC):
                raise WorkbookError("文件内嵌了压缩包，已拒绝读取")
            if content.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"<"):
                scan.read(content)
            if _SHEET_MARK.search(content) and _ERROR_CELL.search(content):
                content = _ERROR_CELL.sub(rb"\1\2str\2", content)  # noqa: PLW2901 - big ones are not kept twice
            archive.writestr(name, content)
    if scan.text_size() > limits.unpacked:
        raise WorkbookError(_TOO_BIG)
    plain.flush()


def _unpack(data: bytes, limits: Limits) -> Iterator[tuple[str, bytes]]:
    """The parts of a workbook one after another, so that no two big ones are in memory. Raises WorkbookError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            _admit(infos, len(data), limits)
            for info in infos:
                with archive.open(info) as stream:
                    # a bare read() would unpack far beyond a size that lies; so it stops there and the checksum fails
                    content = stream.read(info.file_size + 1)
                yield info.filename, content
    except BROKEN_ARCHIVE as error:
        raise WorkbookError(_BROKEN) from error


def _admit(infos: list[zipfile.ZipInfo], size: int, limits: Limits) -> None:
    """Look at the list of an archive before anything of it is unpacked."""
    if any(info.flag_bits & 1 for info in infos):
        raise WorkbookError(_ENCRYPTED)
    allowed = min(limits.unpacked, limits.ratio * size)
    if len(infos) > _ENTRIES_MAX or sum(info.file_size for info in infos) > allowed:
        raise WorkbookError(_TOO_BIG)
    names = [info.filename for info in infos]
    usual = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
    if len(set(names)) < len(names) or not {info.compress_type for info in infos} <= usual:
        raise WorkbookError(_BROKEN)
    if "xl/workbook.xml" not in {name.replace("\\", "/").lower() for name in names}:
        raise WorkbookError(_WRONG_TYPE)


def hidden_rows(plain: IO[bytes]) -> dict[str, frozenset[int]]:
    """Rows that each worksheet of a guarded workbook does not show, from 0, by the name of the sheet."""
    archive = zipfile.ZipFile(plain)
    parts = {name.replace("\\", "/").lower(): name for name in archive.namelist()}
    try:  # entity bombs need a document type, which the guard refuses
        relations = ET.fromstring(_part(archive, parts, "xl/_rels/workbook.xml.rels"))  # noqa: S314
        book = ET.fromstring(_part(archive, parts, "xl/workbook.xml"))  # noqa: S314
    except ET.ParseError as error:
        raise WorkbookError(_BROKEN) from error
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    found = {}
    for sheet in book.iter():
        if sheet.tag.rpartition("}")[2] == "sheet":
            key = next((value for name, value in sheet.items() if name.endswith("}id")), "")
            part = (
                posixpath.normpath(posixpath.join("/xl", targets.get(key, ""))).lstrip("/").lower()
            )
            tags = _hidden_tags(archive, parts.get(part, ""))
            numbers = [match[1] for tag in tags if (match := _ROW_NUMBER.search(tag))]
            found[sheet.get("name", "")] = frozenset(int(number) - 1 for number in numbers)
    return found


def _hidden_tags(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """The tags of rows that are not shown, a piece of the sheet at a time."""
    if not name:
        return
    left = b""
    with archive.open(name) as stream:
        while piece := stream.read(_PIECE):
            text = left + piece
            whole, mark, left = text.rpartition(b"<")
            left = mark + left
            yield from _HIDDEN_ROW.findall(whole)
    yield from _HIDDEN_ROW.findall(left)


def _part(archive: zipfile.ZipFile, parts: dict[str, str], name: str) -> bytes:
    """One part of an archive; an empty one where there is none."""
    return archive.read(parts[name]) if name in parts else b"<none/>"


@dataclass(slots=True)
class _XmlScan:
    """Counts rows, columns and the text that shared strings grow to, over all parts of a workbook."""

    extent: _Extent
    uses: Counter[str] = field(default_factory=Counter)
    strings: list[int] = field(default_factory=list)
    _in_sheet: bool = False
    _in_string: bool = False
    _shared: bool = False
    _index: str | None = None
    _row: int = 0
    _col: int = 0

    def read(self, content: bytes) -> None:
        """Go through one part; raises WorkbookError for broken XML, document types and boundless sheets."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        self._in_sheet = self._in_string = False
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            raise WorkbookError(_BROKEN) from error
        self.extent.next_sheet()

    def text_size(self) -> int:
        """Characters that all cells hold once each has its own copy of its shared string."""
        sizes = {str(index): size for index, size in enumerate(self.strings)}
        return sum(sizes.get(index, 0) * count for index, count in self.uses.items())

    def _doctype(self, *_declaration: object) -> None:
        raise WorkbookError(_BROKEN)  # no spreadsheet program writes one; entity bombs need one

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "si":
            self._in_string = True
            self.strings.append(0)
        elif local == "sheetData":
            self._in_sheet, self._row, self._col = True, 0, 0
        elif self._in_sheet:
            self._cell(local, attributes)

    def _cell(self, local: str, attributes: dict[str, str]) -> None:
        if local == "row":
            number = attributes.get("r", "")
            self._row, self._col = int(number) if number.isdecimal() else self._row + 1, 0
        elif local == "c":
            self._shared = attributes.get("t") == "s"
            match = _REFERENCE.fullmatch(attributes.get("r", ""))
            self._col = _column(match[1]) if match else self._col + 1
            self._row = int(match[2]) if match else self._row
        elif (
            local in {"v", "is", "f"} and self._col
        ):  # styled but empty cells cost nothing; caches of links lack "c"
            self.extent.reach(self._row, self._col)
            self._index = "" if local == "v" and self._shared else None

    def _text(self, text: str) -> None:
        if self._in_string:
            self.strings[-1] += len(text)
        elif self._index is not None:
            self._index += text

    def _end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local == "si":
            self._in_string = False
        elif local == "sheetData":
            self._in_sheet = False
        elif local == "v" and self._index is not None:
            self.uses[self._index.strip()] += 1
            self._index = None


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def guard_xls(data: bytes, limits: Limits) -> bytes:
    """Walk the records of an old binary workbook and give it back unchanged; raises WorkbookError."""
    if len(data) > limits.unpacked:
        raise WorkbookError(_TOO_BIG)
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            if ole.exists("EncryptedPackage"):
                raise WorkbookError(_ENCRYPTED)
            name = next((name for name in ("Workbook", "Book") if ole.exists(name)), None)
            stream = ole.openstream(name).read() if name else None
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise WorkbookError(_BROKEN) from error
    if stream is None:
        raise WorkbookError(_WRONG_TYPE)
    _walk_records(stream, _Extent(limits))
    return data


def has_macro_sheets(stream: bytes) -> bool:
    """Whether an old binary workbook has sheets of Excel 4 macros or Visual Basic modules."""
    at = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        if kind == _BIFF_BOUNDSHEET and stream[at + 9 : at + 10] in _BIFF_MACROS:
            return True
        at += 4 + size
    return False


def _walk_records(stream: bytes, extent: _Extent) -> None:
    at = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        body = stream[at + 4 : at + 4 + size]
        at += 4 + size
        if kind == _BIFF_FILEPASS:
            raise WorkbookError(_ENCRYPTED)
        if kind == _BIFF_BOF:
            extent.next_sheet()
        elif kind == _BIFF_DIMENSIONS and size >= 14:
            _, rows, _, cols = struct.unpack_from("<IIHH", body + bytes(14))
            # the reader reserves memory for what is claimed here
            if rows > _BIFF_ROWS or cols > _BIFF_COLS:
                raise WorkbookError(_BROKEN)
        elif kind in _BIFF_CELLS and len(body) >= 6:
            row, col = struct.unpack_from("<HH", body)
            last = struct.unpack_from("<H", body, len(body) - 2)[0] if kind == _BIFF_MULRK else col
            extent.reach(row + 1, max(col, last) + 1)
    extent.next_sheet()
