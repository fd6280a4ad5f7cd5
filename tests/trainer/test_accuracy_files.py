from __future__ import annotations

from pathlib import Path

import pytest

from pushtrain_trainer.accuracy_files import AccuracyFiles, parse_accuracy


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("97", 0.97),
        ("97 %", 0.97),
        ("97%\n", 0.97),
        ("0.97", 0.97),
        (".97", 0.97),
        ("0,97", 0.97),
        ("97.25", 0.9725),
        ("1", 1.0),
        ("1.0", 1.0),
        ("100", 1.0),
        ("0", 0.0),
        ("0.5 %", 0.005),
        ("9.7e-1", 0.97),
        ("Accuracy: 0.91", 0.91),
        ("test accuracy = 91.5 % after 20 epochs", 0.915),
        ("loss 0.3\nacc 0.88\n", 0.88),
        ("accuracy 0.5\naccuracy 0.7\n", 0.7),
        ("epoch 12: 93 %", 0.93),
    ],
)
def test_accuracy_is_read(text: str, value: float) -> None:
    assert parse_accuracy(text) == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["", "good", "101", "250 %", "0.3 0.7", "3 models, 2 layers", "v2"]
)
def test_unclear_text_is_no_accuracy(text: str) -> None:
    assert parse_accuracy(text) is None


def test_only_files_written_since_count_oldest_first(tmp_path: Path) -> None:
    (tmp_path / "accuracy.txt").write_text("0.1")
    files = AccuracyFiles(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "Result.txt").write_text("0.2")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "accuracy.txt").write_text("0.3")
    (tmp_path / "other.txt").write_text("0.4")
    assert files.written() == [("out/Result.txt", "0.2")]
    (tmp_path / "accuracy.txt").write_text("0.55")
    assert [path for path, _ in files.written()] == ["out/Result.txt", "accuracy.txt"]
