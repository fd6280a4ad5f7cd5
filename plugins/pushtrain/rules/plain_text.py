"""Text of user code, made fit for where Airflow and mails carry it."""

from __future__ import annotations

import re

# PostgreSQL takes no NUL, UTF-8 no half characters, a header of a mail none of all these.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def whole_characters(text: str) -> str:
    """Return a text that can be written and sent: half a character becomes `?`.

    Tracebacks and file names hold such, and JSON carries them.
    """
    return text.encode("utf-8", "replace").decode()


def one_line(text: str) -> str:
    """Return a text on one line that every database, header and terminal takes."""
    return _UNFIT.sub("?", " ".join(text.split()))
