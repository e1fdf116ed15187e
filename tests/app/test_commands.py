"""Commands of the framework: those that would write users and roles without a line in the trail are refused."""

import click
import pytest

from app.cli import refuse_framework


def typed(*names):
    """The context of a command as it was typed, word by word."""
    context = None
    for name in names:
        context = click.Context(click.Command(name), parent=context, info_name=name)
    return context


@pytest.mark.parametrize(
    "name", ["reset-password", "create-admin", "create-user", "import-roles", "security-cleanup"]
)
def test_what_the_framework_would_write_without_a_line_is_refused(name, capsys):
    with pytest.raises(SystemExit) as ended:
        refuse_framework(typed("flask", "fab", name))
    assert ended.value.code == 1
    assert f"flask fab {name} 不留操作日志，已停用" in capsys.readouterr().err


@pytest.mark.parametrize(
    "names", [("fab", "list-users"), ("fab", "version"), ("create-admin",), ("db", "upgrade")]
)
def test_what_reads_and_what_is_ours_goes_on(names):
    refuse_framework(typed("flask", *names))
    refuse_framework(None)
