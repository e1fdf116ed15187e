"""What stands before the application: proxies that are believed, hosts that make sense, and a lane for the door."""

import re
import tempfile
import threading
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import IO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wsgi import ClosingIterator

from config import UPLOAD_MAX_BYTES

_LABEL = "[A-Za-z0-9_-]{1,63}"
_HOST = re.compile(rf"(?:(?:{_LABEL}\.)*{_LABEL}\.?|\[[0-9A-Fa-f:.]{{2,45}}\])(?::[0-9]{{1,5}})?")
_NO_HOST = "请求的主机名（Host）不合规范".encode()


def with_good_host(application: WSGIApplication) -> WSGIApplication:
    """The application, asked only under names that can be hosts: no page can be made under another."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if _HOST.fullmatch(environ.get("HTTP_HOST", "localhost")):
            return application(environ, start_response)
        start_response("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8")])
        return [_NO_HOST]

    return answer


BODY_IDLE_SECONDS = 30
_BLOCK, _IN_MEMORY = 1 << 16, 1 << 20
_TOO_SLOW = "发送的内容没有在时限内到达，请重试".encode()


def with_whole_body(application: WSGIApplication) -> WSGIApplication:
    """The application, asked once all that is sent has come: who sends slowly, or stops, holds no lane."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not _has_body(environ):
            return application(environ, start_response)
        try:
            body = environ["wsgi.input"] = _received(environ)
        except OSError:  # nothing came for too long, or the sender has gone
            start_response("408 Request Timeout", [("Content-Type", "text/plain; charset=utf-8")])
            return [_TOO_SLOW]
        return ClosingIterator(application(environ, start_response), [body.close])

    return answer


def _has_body(environ: WSGIEnvironment) -> bool:
    """Whether there is something to wait for; what is too long is refused by its length, unread."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not length:  # in chunks, where the server knows their end
        return "HTTP_TRANSFER_ENCODING" in environ and bool(environ.get("wsgi.input_terminated"))
    return length.isascii() and length.isdecimal() and 0 < int(length[:12]) <= UPLOAD_MAX_BYTES


def _received(environ: WSGIEnvironment) -> IO[bytes]:
    """The body, at most one byte more than is allowed. Raises OSError where nothing comes for too long."""
    left, stream = int(environ.get("CONTENT_LENGTH") or UPLOAD_MAX_BYTES + 1), environ["wsgi.input"]
    socket = environ.get("gunicorn.socket")
    if socket is not None:
        socket.settimeout(BODY_IDLE_SECONDS)
    kept = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed with the answer
    while left > 0 and (block := stream.read(min(left, _BLOCK))):
        kept.write(block)
        left -= len(block)
    if socket is not None:
        socket.settimeout(None)
    kept.seek(0)
    return kept


DOORS = ("/login/", "/api/v1/security/login")
_CROWDED = '{"message": "同时登录的人太多，请稍后再试", "errors": {}}'.encode()


class Lanes:
    """The application with a lane of its own for signing in.

    A password takes a tenth of a second of a processor: a crowd at the door would hold every thread of the server.
    Here it waits for itself, `at_door` at a time and `waiting` behind them, while `at_work` others are served.
    """

    def __init__(
        self, application: WSGIApplication, at_work: int, at_door: int, waiting: int
    ) -> None:
        self._application = application
        self._work, self._door = threading.Semaphore(at_work), threading.Semaphore(at_door)
        self._most, self.crowd = at_door + waiting, 0
        self._counting = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Wait for the lane's turn; the door refuses at once who would find no place in its queue."""
        if environ.get("REQUEST_METHOD") != "POST" or environ.get("PATH_INFO") not in DOORS:
            with self._work:
                return self._application(environ, start_response)
        with self._counting:
            is_full = self.crowd >= self._most
            self.crowd += not is_full
        if is_full:
            head = [("Content-Type", "application/json; charset=utf-8"), ("Retry-After", "5")]
            start_response("503 Service Unavailable", head)
            return [_CROWDED]
        try:
            with self._door:
                return self._application(environ, start_response)
        finally:
            with self._counting:
                self.crowd -= 1


def behind_proxies(
    application: WSGIApplication, proxies: Sequence[IPv4Network | IPv6Network]
) -> WSGIApplication:
    """The application; what a connection says of another address and scheme counts if it comes from a proxy."""
    forwarded = ProxyFix(application)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        chosen = forwarded if _is_among(environ.get("REMOTE_ADDR", ""), proxies) else application
        return chosen(environ, start_response)

    return answer


def _is_among(address: str, proxies: Sequence[IPv4Network | IPv6Network]) -> bool:
    if not proxies:
        return False
    try:
        found = ip_address(address)
    except ValueError:  # a socket in the file system has no address
        return False
    return any(found in network for network in proxies)
