"""A new entity is one class and a generated migration: `flask db migrate` gives a file that both databases take."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MIGRATIONS = ROOT / "models/migrations"


def test_a_generated_migration_makes_what_the_models_say(database_at, tmp_path):
    folder, data = tmp_path / "migrations", tmp_path / "data"
    shutil.copytree(MIGRATIONS, folder)
    data.mkdir()
    developers = (
        f"sqlite:///{data}/dev.db"  # what is generated there is used wherever the product runs
    )
    with database_at("installed") as url:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.structure.new_entity",
                str(folder),
                str(data),
                developers,
                url,
            ],
            cwd=ROOT,
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    (made,) = folder.glob("versions/9999_*.py")
    assert "use_alter" not in made.read_text(encoding="utf-8")


def test_no_migration_leaves_a_key_to_nobody():
    """PostgreSQL leaves a key with `use_alter` out of CREATE TABLE; the first migration adds its own by hand."""
    later = [
        path for path in MIGRATIONS.glob("versions/[0-9]*.py") if not path.name.startswith("0001")
    ]
    assert [path.name for path in later if "use_alter" in path.read_text(encoding="utf-8")] == []
