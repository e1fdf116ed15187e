"""Settings from the environment, checked once at start.

Messages are for the person who starts the product, so they are Chinese. No message repeats a password or a key.
"""

import contextlib
import os
import re
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

ENVIRONMENTS: Final = ("development", "production")
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
SECRET_KEY_MIN_LENGTH: Final = 32
SECRET_KEY_MIN_DISTINCT: Final = 8
UPLOAD_MAX_BYTES: Final = 50 * 1024 * 1024
# How long a cookie may be; the session's row, by its parameters, ends long before.
COOKIE_LIFETIME: Final = timedelta(days=7)
# Requests of one process: served at once, signing in at once, and waiting to sign in (each waits in a thread).
AT_WORK: Final = 8
AT_DOOR: Final = 1
WAITING_AT_DOOR: Final = 256
# How far the clocks of several machines may differ: cookies and tokens from that far in the future are taken.
CLOCK_TOLERANCE: Final = timedelta(minutes=5)
SQLITE_BUSY_TIMEOUT_SECONDS: Final = 15
# Words of keys that were copied from an example rather than drawn at random.
EXAMPLE_KEY_WORDS: Final = (
    "changeme",
    "change-me",
    "change_me",
    "default",
    "example",
    "secret_key",
    "your-",
)

# Every spelling that people use for the two supported databases, and the driver behind it.
DRIVERS: Final = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
SWITCHES: Final = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


class SettingsError(ValueError):
    """The environment holds settings the product cannot start with; `problems` says which, in Chinese."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(
            "配置有误，系统未启动：\n" + "\n".join(f"  - {problem}" for problem in problems)
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """What an installation decides; made by `load_settings`, or by hand in tests."""

    secret_key: str = field(repr=False)
    database_url: str = field(repr=False)
    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8080
    demo: bool = False
    log_level: str = "INFO"
    app_env: str = "development"
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    chain_heads_file: Path | None = None

    @property
    def chain_heads(self) -> Path:
        """The file outside the database that keeps the heads of its chains; best on another machine's disk."""
        return self.chain_heads_file or self.data_dir / "chain-heads.log"

    @property
    def is_production(self) -> bool:
        """Whether real data is at stake: strict key, secure cookies, no demo data unless asked for."""
        return self.app_env == "production"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check all settings, and make the data directory.

    Raises:
        SettingsError: with every problem found, not only the first.
    """
    env = os.environ if environ is None else environ
    problems: list[str] = []
    app_env = _choice(env, "APP_ENV", "development", ENVIRONMENTS, problems)
    port = _port(env, problems)
    log_level = _choice(env, "LOG_LEVEL", "INFO", LOG_LEVELS, problems, upper=True)
    demo = _switch(env, "DEMO", default=app_env != "production", problems=problems)
    data_dir = _data_dir(env, problems)
    database_url = _database_url(env, data_dir, problems)
    trusted_proxies = _networks(env, "TRUSTED_PROXIES", problems)
    secret_key = _value(env, "SECRET_KEY")
    if app_env == "production":
        problems.extend(_key_problems(secret_key))
    if problems:
        raise SettingsError(problems)
    return Settings(
        secret_key=secret_key or _kept_key(data_dir),
        database_url=database_url,
        data_dir=data_dir,
        host=_value(env, "HOST") or "127.0.0.1",
        port=port,
        demo=demo,
        log_level=log_level,
        app_env=app_env,
        trusted_proxies=trusted_proxies,
        chain_heads_file=Path(heads).expanduser().resolve()
        if (heads := _value(env, "CHAIN_HEADS_FILE"))
        else None,
    )


def flask_config(settings: Settings) -> dict[str, Any]:
    """Return the mapping that Flask and its extensions read."""
    return {
        "SETTINGS": settings,
        "SECRET_KEY": settings.secret_key,
        "MAX_CONTENT_LENGTH": UPLOAD_MAX_BYTES,
        # The longest template of a document: 200,000 characters, nine bytes each on their way.
        "MAX_FORM_MEMORY_SIZE": 4 * 1024 * 1024,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": _engine_options(settings.database_url),
        "SQLALCHEMY_TRACK_MODIFICATIONS": False,
        "BABEL_DEFAULT_LOCALE": "zh",
        "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
        # One language only: the framework keeps the last choice in the session, where nobody finds it again.
        "LANGUAGES": {"zh": {"flag": "cn", "name": "中文"}},
        "WTF_CSRF_ENABLED": True,
        "WTF_CSRF_TIME_LIMIT": None,  # a form may stay open as long as the session lives
        **_framework_config(),
        **_session_config(settings),
        # Tries at the door are counted in the database (workflows/system/sign_in.py), for all processes together.
        "RATELIMIT_ENABLED": False,
        "AUTH_RATE_LIMITED": False,
    }


def _framework_config() -> dict[str, Any]:
    return {
        "APP_NAME": "融资担保业务系统",
        "AUTH_TYPE": 1,  # passwords in the own database (AUTH_DB)
        "AUTH_ROLE_ADMIN": "Admin",
        "AUTH_ROLE_PUBLIC": "Public",
        "AUTH_USER_REGISTRATION": False,
        "FAB_BASE_TEMPLATE": "base.html",
        "FAB_CREATE_DB": False,  # migrations make the tables
        "FAB_UPDATE_PERMS": False,  # `flask init` writes permissions in bulk; at start it would take seconds
        "FAB_API_MAX_PAGE_SIZE": 200,
        "FAB_API_SHOW_STACKTRACE": False,
        "FAB_API_SWAGGER_UI": False,  # its page loads scripts from the internet
    }


def _session_config(settings: Settings) -> dict[str, Any]:
    return {
        "PERMANENT_SESSION_LIFETIME": COOKIE_LIFETIME,
        "JWT_DECODE_LEEWAY": CLOCK_TOLERANCE,
        "SESSION_COOKIE_NAME": "guarantee_session",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.is_production,
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        "REMEMBER_COOKIE_SECURE": settings.is_production,
    }


def _engine_options(database_url: str) -> dict[str, Any]:
    # What people typed stays out of the messages of a failing statement, and so out of the log.
    if database_url.startswith("sqlite"):
        return {"hide_parameters": True, "connect_args": {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}}
    # A session in UTC: the database must not shift times by its own zone.
    return {
        "hide_parameters": True,
        "pool_pre_ping": True,
        "pool_size": 10,
        "max_overflow": 20,
        # The name is for those who ask the database who is connected: `guarantee gunicorn`, `guarantee flask`.
        "connect_args": {
            "options": "-c timezone=UTC",
            "connect_timeout": 10,
            "application_name": f"guarantee {Path(sys.argv[0]).name}"[:60],
        },
    }


def _value(env: Mapping[str, str], name: str) -> str:
    return env.get(name, "").strip()


def _choice(
    env: Mapping[str, str],
    name: str,
    default: str,
    choices: tuple[str, ...],
    problems: list[str],
    *,
    upper: bool = False,
) -> str:
    value = _value(env, name) or default
    value = value.upper() if upper else value.lower()
    if value not in choices:
        problems.append(f"{name} 的值“{value}”无效，可选：{'、'.join(choices)}。")
    return value


def _port(env: Mapping[str, str], problems: list[str]) -> int:
    value = _value(env, "PORT") or "8080"
    if value.isascii() and value.isdigit() and 1 <= int(value[:6]) <= 65535:
        return int(value)
    problems.append(f"PORT 的值“{value}”无效，应为 1 到 65535 之间的整数。")
    return 0


def _switch(env: Mapping[str, str], name: str, *, default: bool, problems: list[str]) -> bool:
    value = _value(env, name).lower()
    if not value:
        return default
    if value not in SWITCHES:
        problems.append(f"{name} 的值“{value}”无效，请填 1（是）或 0（否）。")
    return SWITCHES.get(value, default)


def _networks(
    env: Mapping[str, str], name: str, problems: list[str]
) -> tuple[IPv4Network | IPv6Network, ...]:
    found = []
    for part in filter(None, re.split(r"[,\s]+", _value(env, name))):
        try:
            found.append(ip_network(part, strict=False))
        except ValueError:
            problems.append(f"{name} 中的“{part}”不是地址或网段，例：127.0.0.1,10.0.0.0/24。")
    return tuple(found)


def _data_dir(env: Mapping[str, str], problems: list[str]) -> Path:
    path = Path(_value(env, "DATA_DIR") or "data").expanduser().resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problems.append(f"DATA_DIR 指定的目录“{path}”无法建立：{_reason(error)}。")
    else:
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            problems.append(f"DATA_DIR 指定的目录“{path}”不可读写，请检查权限。")
    return path


def _reason(error: OSError) -> str:
    reasons: dict[type[OSError], str] = {
        PermissionError: "没有权限",
        FileExistsError: "同名文件已存在",
        NotADirectoryError: "上级路径不是目录",
    }
    return reasons.get(type(error), f"系统错误 {error.errno}")


def _database_url(env: Mapping[str, str], data_dir: Path, problems: list[str]) -> str:
    value = _value(env, "DATABASE_URL")
    if not value:
        return URL.create("sqlite", database=str(data_dir / "guarantee.db")).render_as_string()
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        problems.append(
            "DATABASE_URL 格式不正确，例：sqlite:////数据目录/guarantee.db 或 postgresql://用户:密码@主机/库名。"
        )
        return ""
    if url.drivername not in DRIVERS:
        problems.append(
            f"DATABASE_URL 的数据库类型“{url.drivername}”不支持，可用 sqlite 或 postgresql。"
        )
        return ""
    return _normal_url(url)


def _normal_url(url: URL) -> str:
    url = url.set(drivername=DRIVERS[url.drivername])
    if url.drivername == "sqlite" and url.database and url.database != ":memory:":
        # Relative paths mean the working directory here; Flask-SQLAlchemy would take its instance directory.
        url = url.set(database=str(Path(url.database).expanduser().resolve()))
    return url.render_as_string(hide_password=False)


def _key_problems(key: str) -> list[str]:
    how = "可用命令 python3 -c 'import secrets; print(secrets.token_hex(32))' 生成"
    if not key:
        return [f"生产环境（APP_ENV=production）必须设置 SECRET_KEY，{how}。"]
    if len(key) < SECRET_KEY_MIN_LENGTH:
        return [
            f"SECRET_KEY 太短：至少 {SECRET_KEY_MIN_LENGTH} 个字符，现为 {len(key)} 个；{how}。"
        ]
    lowered = key.lower()
    if len(set(key)) < SECRET_KEY_MIN_DISTINCT or any(
        word in lowered for word in EXAMPLE_KEY_WORDS
    ):
        return [f"SECRET_KEY 是示例值或过于简单，容易被猜到；{how}。"]
    return []


def _kept_key(data_dir: Path) -> str:
    """Return the random key of this development installation, drawing it at the first start.

    Raises:
        SettingsError: when the file cannot be read or written.
    """
    path = data_dir / "secret_key"
    try:
        if not path.exists():
            _write_key(path)
        return path.read_text(encoding="ascii").strip() or _write_key(path, replace=True)
    except (OSError, UnicodeDecodeError):
        raise SettingsError(
            [f"密钥文件“{path}”无法读写，请检查权限，或删除该文件后重新启动。"]
        ) from None


def _write_key(path: Path, *, replace: bool = False) -> str:
    key = secrets.token_hex(32)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(key, encoding="ascii")
    if replace:
        draft.replace(path)
        return key
    # Linking is atomic and refuses an existing name: of two processes that start together one key wins, whole.
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
    return key
