"""The one place where the trainer imports Keras: today's, or tf-keras for old scripts.

What both do differently stands in modules with the same functions: `keras_three` and `keras_two`
for models, `keras_three_loading` and `keras_two_loading` for data and the place in it. `dialect`
and `loading` are those in use.
"""

from __future__ import annotations

import importlib
from typing import Any

from pushtrain_trainer.keras_choice import is_legacy, library

keras: Any = importlib.import_module(library())
_KIND = "keras_two" if is_legacy() else "keras_three"
dialect: Any = importlib.import_module(f"pushtrain_trainer.{_KIND}")
loading: Any = importlib.import_module(f"pushtrain_trainer.{_KIND}_loading")
