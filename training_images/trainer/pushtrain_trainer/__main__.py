"""Entry point: `python -m pushtrain_trainer SCRIPT [ARGUMENTS]`."""

from __future__ import annotations

import sys

from pushtrain_trainer.command import main

sys.exit(main(sys.argv[1:]))
