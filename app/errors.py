"""Errors become a message in Chinese, once for all pages and REST: never a stack trace, never an empty page."""

import structlog
from flask import Flask, current_app, g, jsonify, render_template
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException

from app.extensions import db
from models.base import trouble
from models.base.errors import BusinessError
from views.kit import edge

log = structlog.get_logger()

MESSAGES = {
    400: "请求内容有误，请返回检查后重试。",
    401: "请先登录。",
    403: "您没有这项权限。如需办理，请联系安全管理员。",
    404: "页面或记录不存在，或不在您的数据范围内。",
    405: "不能这样访问这个地址。",
    413: "文件太大，请压缩或拆分后再上传。",
    415: "提交的数据格式不被接受。",
    429: "操作过于频繁，请稍后再试。",
    500: "系统出现故障，没有保存任何内容。请稍后重试，或联系系统管理员。",
    503: "系统正忙，或暂时连不上数据库，没有保存任何内容，请稍后重试。",
}
UNFIT = "提交的内容过长、数字过大或含有无法保存的字符，没有保存，请修改后重试。"
# Where no page can be drawn any more: the address of the request makes no sense, or the menu cannot be read.
BARE = (
    '<!DOCTYPE html><html lang="zh-CN"><meta charset="utf-8"><title>{title}</title>'
    '<h1>{title}</h1><p>{message}</p><p><a href="/">回到工作台</a></p></html>'
)


def bind(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(BusinessError, _business)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DataError, _unfit)
    app.register_error_handler(OperationalError, _unavailable)
    app.register_error_handler(Exception, _crash)


def _business(error: Exception) -> ResponseReturnValue:
    assert isinstance(error, BusinessError)
    db.session.rollback()
    return edge.handle(error)


def _csrf(_: Exception) -> ResponseReturnValue:
    return page(400, "页面已过期，请返回刷新后重新提交。")


def _http(error: Exception) -> ResponseReturnValue:
    assert isinstance(error, HTTPException)
    code = error.code or 500
    if code < 400:
        return error.get_response()
    return page(code, MESSAGES.get(code, MESSAGES[400 if code < 500 else 500]))


def _unfit(error: Exception) -> ResponseReturnValue:
    """What no check has stopped and the database does not take."""
    db.session.rollback()
    log.warning("value refused by the database", exc_info=error)
    return page(400, UNFIT)


def _unavailable(error: Exception) -> ResponseReturnValue:
    """A lock that was not given in time, a deadlock, or a database that does not answer; else it is a fault."""
    if not (trouble.is_full(error) or trouble.is_passing(error)):
        return _crash(error)
    db.session.rollback()
    log.warning("database not available", exc_info=error)
    if trouble.is_full(error):
        return page(503, trouble.FULL)
    return page(503, edge.UNKNOWN if g.get("is_result_unknown") else MESSAGES[503])


def _crash(error: Exception) -> ResponseReturnValue:
    db.session.rollback()
    log.error("request failed", error=type(error).__name__, exc_info=error)
    if trouble.is_full(error):  # of the files: the database's own is answered above
        return page(503, trouble.FULL)
    return page(500, MESSAGES[500])


def page(code: int, message: str) -> ResponseReturnValue:
    """The error as JSON for programs, as a page for people."""
    if edge.wants_json():
        return jsonify({"message": message, "errors": {}}), code
    title = edge.TITLES.get(code, edge.TITLES[400] if code < 500 else "系统故障")
    # A stranger's page has no view behind it that would bring the builder along.
    builder = current_app.appbuilder  # type: ignore[attr-defined]
    try:
        return render_template(
            "error.html", code=code, title=title, message=message, appbuilder=builder
        ), code
    except Exception as error:  # whatever it is, an answer is due
        log.warning("error page not drawn", exc_info=error)
        return BARE.format(title=title, message=message), code
