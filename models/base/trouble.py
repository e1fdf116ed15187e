"""What a database's own errors mean, in words for the person who can mend them."""

import errno
import re
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError

from models.base.errors import BusinessError

FULL: Final = "磁盘空间不足，没有保存任何内容。请通知系统管理员清理磁盘后重试"
_DISK_FULL: Final = "53100"  # PostgreSQL's own code
# Deadlock, serialization failure, lock not available, statement timeout; no connection left for now.
_LOST_RACE: Final = ("40P01", "40001", "55P03", "57014", "53300")
_LOCKED: Final = re.compile(r"database (table |schema )?is locked|database is busy|deadlock")
_SILENT: Final = (
    r"connection refused|timeout|no route to host|starting up|shutting down|closed the connection|"
    r"terminating connection|recovery|is the server running|connection reset|"
    r"broken pipe|the connection is (closed|lost)"
)
# What the databases say (PostgreSQL in English or Chinese) and what it means.
_SAID: Final = (
    (r"password authentication failed|no password supplied|认证失败", "数据库用户名或密码不正确"),
    (r"database .+ does not exist|数据库 .+ 不存在", "数据库不存在，请先建立，编码为 UTF8"),
    (r"role .+ does not exist|角色 .+ 不存在", "数据库用户不存在"),
    (r"resolve host|translate host", "数据库主机名无法解析"),
    (_SILENT, "数据库没有应答，请确认它已启动、地址与端口正确"),
    (r"too many connections|too many clients|connection slots", "数据库的连接数已用完"),
    (r"unable to open database file", "数据库文件打不开，请检查目录与权限"),
    (r"readonly database|read-only", "数据库只读，不能写入"),
    (r"not a database|malformed", "文件不是有效的 SQLite 数据库，或已损坏，请从备份恢复"),
    (
        r"permission denied for schema|对模式 .+ 权限不够",
        "数据库用户没有建表的权限，请把数据库的属主设为这个用户",
    ),
    (
        r"no such (table|column)|(relation|column) .+ does not exist",
        "缺少数据表或字段，请先执行 flask --app run init",
    ),
)


class Unfit(BusinessError):
    """The database is not one that this release can work with; the message says why and what to do."""

    status = 503


class Unreachable(Unfit):
    """The database does not answer for now, and may soon."""


def is_full(error: BaseException) -> bool:
    """Whether there is no room left on the disk of the database or of the files."""
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    origin = error.orig if isinstance(error, DBAPIError) else error
    return getattr(origin, "sqlstate", None) == _DISK_FULL or "database or disk is full" in str(
        origin
    )


def is_busy(error: BaseException) -> bool:
    """Whether another writer was first: a lock that was not given in time, or a deadlock that this one gave way in.

    An OperationalError is no sign of it: SQLite says that of a missing table too.
    """
    origin = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(origin, "sqlstate", None)
    return state in _LOST_RACE or bool(_LOCKED.search(str(origin)))


def is_passing(error: BaseException) -> bool:
    """Whether trying again later may help: another was first, or the database does not answer for now."""
    is_broken = isinstance(error, DBAPIError) and error.connection_invalidated
    return is_broken or is_busy(error) or is_silent(error)


def is_silent(error: BaseException) -> bool:
    """Whether the database does not answer for now, and may soon."""
    return bool(re.search(_SILENT, _said(error), re.IGNORECASE))


def reason(error: BaseException) -> str | None:
    """Why the database refused, in words; None where what it says is a fault of ours."""
    if is_full(error):
        return FULL
    said = _said(error)
    known = next(
        (words for pattern, words in _SAID if re.search(pattern, said, re.IGNORECASE)), None
    )
    return known or (said.splitlines()[0] if isinstance(error, OperationalError) and said else None)


def _said(error: BaseException) -> str:
    return str(error.orig if isinstance(error, DBAPIError) else error).strip()
