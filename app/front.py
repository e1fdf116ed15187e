"""What stands before the application: proxies that are believed, hosts that make sense, and a lane for the door."""

import re
import threading
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.middleware.proxy_fix import ProxyFix

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


DOORS = ("/login/", "/api/v1/security/login")
_CROWDED = '{"message": "同时登录的人太多，请稍后再试", "errors": {}}'.encode()


class Lanes:
    """The application with a lane of its own for signing in.

    A password takes a tenth of a second of a processor: a crowd at the door would hold every thread of the server.
    Here it waits for itself, `at_door` at a time and `waiting` behind them, while `at_work` others are served.
    """

    def __init__(self, application: WSGIApplication, at_work: int, at_door: int, waiting: int) -> None:
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
) -> WSGIApplication:  # fmt: skip
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
