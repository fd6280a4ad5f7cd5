from __future__ import annotations

import pytest

from pushtrain.rules.stacks import last_frame

HELPER = """Thread 0x00007f11 (most recent call first):
  File "/opt/venv/lib/python3.11/threading.py", line 331 in wait
  File "/work/model_src/helper.py", line 7 in listen

"""
MAIN = """Current thread 0x00007f22 (most recent call first):
  File "/opt/venv/lib/python3.11/site-packages/keras/src/trainer.py", line 320 in fit
  File "/work/model_src/train.py", line 42 in train
  File "/work/model_src/train.py", line 60 in <module>
  File "/opt/trainer/pushtrain_trainer/script_run.py", line 60 in run_script
"""
LIBRARY = """Current thread 0x00007f22 (most recent call first):
  File "/opt/venv/lib/python3.11/ssl.py", line 1 in read
"""


@pytest.mark.parametrize(
    ("stack", "frame"),
    [
        (MAIN, "model_src/train.py:42 in train"),
        (HELPER + MAIN, "model_src/train.py:42 in train"),  # the main thread comes last
        (HELPER + LIBRARY, "model_src/helper.py:7 in listen"),
        (LIBRARY, "ssl.py:1 in read"),
        (
            MAIN.replace("/work/model_src/train.py", "/work/a \\u0103.py"),
            "a \\u0103.py:42 in train",
        ),
        ("Fatal Python error: none\n", ""),
        ("", ""),
    ],
    ids=["main", "helper too", "helper only", "library", "other letters", "no frame", "nothing"],
)
def test_the_innermost_frame_of_the_script_is_told(stack: str, frame: str) -> None:
    assert last_frame(stack) == frame


def test_names_without_end_are_cut() -> None:
    assert len(last_frame(MAIN.replace("in train", "in " + "x" * 10**5))) == 200
