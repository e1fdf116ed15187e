"""The signed cookie of the framework, for several machines whose clocks differ a little."""

from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from config import CLOCK_TOLERANCE


class _Signer(TimestampSigner):
    def unsign(
        self, signed_value: str | bytes, max_age: int | None = None, return_timestamp: bool = False
    ) -> Any:
        """As usual, but a signature from the future, as far as clocks may differ, is of now."""
        value, signed_at = super().unsign(signed_value, return_timestamp=True)
        ahead = int(signed_at.timestamp()) - self.get_timestamp()
        if not 0 < ahead <= CLOCK_TOLERANCE.total_seconds():
            super().unsign(signed_value, max_age=max_age)
        return (value, signed_at) if return_timestamp else value


class _Serializer(URLSafeTimedSerializer):
    default_signer = _Signer


class TolerantCookies(SecureCookieSessionInterface):
    """The framework's cookies; a machine whose clock is behind takes what another has just signed."""

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The framework's serializer with our signer."""
        if not app.secret_key:
            return None
        options = {"key_derivation": self.key_derivation, "digest_method": self.digest_method}
        return _Serializer(
            app.secret_key, salt=self.salt, serializer=self.serializer, signer_kwargs=options
        )
