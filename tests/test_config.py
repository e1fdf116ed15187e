"""Settings: what a start accepts, what it refuses and in which words."""

import stat
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from config import Settings, SettingsError, flask_config, load_settings

GOOD_KEY = "k8Jq2vLr0ZxW5nTb7YcHd3MfPs6UaGe1"


def _load(tmp_path: Path, **env: str) -> Settings:
    return load_settings({"DATA_DIR": str(tmp_path), **env})


def _problems(tmp_path: Path, **env: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, **env)
    return caught.value.problems


def test_defaults_are_a_local_development_installation(tmp_path):
    settings = _load(tmp_path)
    assert (settings.host, settings.port, settings.log_level) == ("127.0.0.1", 8080, "INFO")
    assert settings.demo is True
    assert not settings.is_production
    assert settings.database_url == f"sqlite:///{tmp_path}/guarantee.db"


def test_development_key_is_drawn_once_and_kept_private(tmp_path):
    first = _load(tmp_path)
    assert len(first.secret_key) == 64
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert _load(tmp_path).secret_key == first.secret_key
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"], "no draft is left behind"
    assert _load(tmp_path / "other").secret_key != first.secret_key


def test_empty_key_file_is_replaced(tmp_path):
    (tmp_path / "secret_key").write_text("\n")
    settings = _load(tmp_path)
    assert len(settings.secret_key) == 64
    assert (tmp_path / "secret_key").read_text() == settings.secret_key


def test_unreadable_key_file_is_named(tmp_path):
    (tmp_path / "secret_key").mkdir()
    assert "密钥文件" in _problems(tmp_path)[0]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "必须设置 SECRET_KEY"),
        (GOOD_KEY[:31], "太短"),
        ("a" * 40, "过于简单"),
        ("please-change-me-0123456789-abcdefgh", "示例值"),
    ],
)
def test_production_refuses_weak_keys(tmp_path, key, said):
    problems = _problems(tmp_path, APP_ENV="production", SECRET_KEY=key)
    assert said in problems[0]
    assert not key or key not in "".join(problems), "a key is never repeated in a message"
    assert not (tmp_path / "secret_key").exists()


def test_production_accepts_a_random_key_and_loads_no_demo(tmp_path):
    settings = _load(tmp_path, APP_ENV="production", SECRET_KEY=GOOD_KEY)
    assert settings.is_production
    assert settings.secret_key == GOOD_KEY
    assert settings.demo is False
    assert _load(tmp_path, APP_ENV="production", SECRET_KEY=GOOD_KEY, DEMO="1").demo is True


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "80.5", "８０８０", "9" * 5000])
def test_invalid_port_is_refused(tmp_path, port):
    assert _problems(tmp_path, PORT=port)[0].startswith("PORT 的值")


@pytest.mark.parametrize("port", ["1", "65535"])
def test_port_limits_are_accepted(tmp_path, port):
    assert _load(tmp_path, PORT=port).port == int(port)


def test_log_level_is_case_blind_and_checked(tmp_path):
    assert _load(tmp_path, LOG_LEVEL="debug").log_level == "DEBUG"
    assert _problems(tmp_path, LOG_LEVEL="loud")[0].startswith("LOG_LEVEL 的值")


def test_unknown_environment_and_switch_are_refused_together(tmp_path):
    problems = _problems(tmp_path, APP_ENV="staging", DEMO="maybe")
    assert [problem.split()[0] for problem in problems] == ["APP_ENV", "DEMO"]


@pytest.mark.parametrize(
    ("value", "on"), [("1", True), ("TRUE", True), ("0", False), ("off", False)]
)
def test_demo_switch(tmp_path, value, on):
    assert _load(tmp_path, DEMO=value).demo is on


def test_proxies_are_named_one_by_one(tmp_path):
    assert _load(tmp_path).trusted_proxies == ()
    assert _load(tmp_path, APP_ENV="production", SECRET_KEY=GOOD_KEY).trusted_proxies == ()
    found = _load(tmp_path, TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/24 ::1").trusted_proxies
    assert [str(network) for network in found] == ["127.0.0.1/32", "10.0.0.0/24", "::1/128"]
    assert (
        "“proxy.local”不是地址" in _problems(tmp_path, TRUSTED_PROXIES="127.0.0.1,proxy.local")[0]
    )


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_spellings_mean_one_driver(tmp_path, scheme):
    settings = _load(tmp_path, DATABASE_URL=f"{scheme}://user:p%40ss@db.local:5433/guarantee")
    assert settings.database_url == "postgresql+psycopg://user:p%40ss@db.local:5433/guarantee"


@pytest.mark.parametrize(
    "url", ["mysql://u:topsecret@h/d", "nonsense:topsecret", "postgresql://u:topsecret@h:port/d"]
)
def test_unusable_database_urls_are_refused_without_telling_the_password(tmp_path, url):
    problem = _problems(tmp_path, DATABASE_URL=url)[0]
    assert problem.startswith("DATABASE_URL")
    assert "topsecret" not in problem


def test_relative_sqlite_path_means_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (
        _load(tmp_path, DATABASE_URL="sqlite:///x.db").database_url == f"sqlite:///{tmp_path}/x.db"
    )
    assert (
        make_url(_load(tmp_path, DATABASE_URL="sqlite:///:memory:").database_url).database
        == ":memory:"
    )


def test_default_database_lies_in_a_directory_of_any_name(tmp_path):
    odd = tmp_path / "担保 100%?#数据"
    assert make_url(_load(odd).database_url).database == str(odd / "guarantee.db")


def test_data_dir_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "taken").touch()
    assert _problems(tmp_path, DATA_DIR=str(tmp_path / "taken")) == [
        f"DATA_DIR 指定的目录“{tmp_path / 'taken'}”无法建立：同名文件已存在。"
    ]
    assert "上级路径不是目录" in _problems(tmp_path, DATA_DIR=str(tmp_path / "taken" / "below"))[0]


def test_secrets_stay_out_of_the_representation(tmp_path):
    shown = repr(_load(tmp_path, SECRET_KEY=GOOD_KEY, DATABASE_URL="postgresql://u:topsecret@h/d"))
    assert GOOD_KEY not in shown
    assert "topsecret" not in shown


def test_flask_config_for_sqlite_in_development(tmp_path):
    config = flask_config(_load(tmp_path))
    assert config["LANGUAGES"] == {"zh": {"flag": "cn", "name": "中文"}}
    assert config["MAX_CONTENT_LENGTH"] == 50 * 1024 * 1024
    assert config["FAB_CREATE_DB"] is False
    assert config["FAB_UPDATE_PERMS"] is False
    assert config["SESSION_COOKIE_SECURE"] is False
    assert config["SESSION_COOKIE_SAMESITE"] == "Lax"
    assert config["SQLALCHEMY_ENGINE_OPTIONS"]["connect_args"] == {"timeout": 15}


def test_flask_config_in_production_protects_the_cookie(tmp_path):
    config = flask_config(
        _load(
            tmp_path, APP_ENV="production", SECRET_KEY=GOOD_KEY, DATABASE_URL="postgresql://u@h/d"
        )
    )
    assert config["SESSION_COOKIE_SECURE"] is True
    assert config["REMEMBER_COOKIE_SECURE"] is True
    assert config["SQLALCHEMY_ENGINE_OPTIONS"]["pool_pre_ping"] is True
