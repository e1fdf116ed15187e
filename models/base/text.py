"""What text from outside may hold: signs that nobody sees break databases and files, fake names and hide duplicates."""

import re
from typing import Final

# Control characters but tab and line ends, soft hyphen, zero-width and direction marks, tags of annotations, half
# characters. What is left is what a reader sees.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff]"
)


def visible(text: str) -> str:
    """The text without the signs that nobody sees."""
    return _UNSEEN.sub("", text)
