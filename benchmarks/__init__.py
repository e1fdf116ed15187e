"""`make bench`: each figure of the product beside its peer or its limit, in one run on the same rows."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
USERNAME: Final = "bench"
PASSWORD: Final = "Danbao@2026"
