# Runs in the image, where NumPy is: what checkpoints keep and what they refuse.
import pathlib
import sys
import tempfile

import numpy as np

from pushtrain_trainer.checkpoints import Checkpoint, Checkpoints
from pushtrain_trainer.stored_values import Unstorable, decode, encode

folder = pathlib.Path(tempfile.mkdtemp())
said = []


def series(name):
    return Checkpoints(folder / name)


plain = {
    "none": None,
    "yes": True,
    "n": 3,
    "f": 0.1,
    "nan": float("inf"),
    "s": "ä",
    "list": [1, (2, "x")],
    "array": np.arange(3),
    "scalars": [np.float32(0.1), np.float64(0.1), np.int64(3), np.bool_(True)],
}
arrays = []
encoded = encode(plain, arrays)
kept = series("plain")
kept.save(Checkpoint({"v": encoded}, [*arrays, np.float32(7), np.zeros((0, 2)), np.array([True])]))
back = kept.latest(said.append)
value = decode(back.data["v"], back.arrays)
assert value.pop("array").tolist() == [0, 1, 2]
assert plain.pop("array") is not None, value
assert value == plain, value
# a script that prints them sees the difference
assert repr(value) == repr(plain), value
assert back.arrays[-3].shape == ()
assert back.arrays[-2].shape == (0, 2)
assert back.arrays[-1].dtype == bool

try:
    encode({"f": print}, [])
except Unstorable:
    print("functions are refused")

pair = series("pair")
for n in range(4):
    pair.save(Checkpoint({"n": n}, [np.full(1000, n)]))
names = sorted(f.name for f in (folder / "pair").iterdir())
assert names == ["000003.ckpt", "000004.ckpt"], names
assert pair.latest(said.append).data["n"] == 3
assert not said

store = folder / "pair" / "000004.ckpt"
broken = bytearray(store.read_bytes())
broken[3000] ^= 1
store.write_bytes(broken)
assert pair.latest(said.append).data["n"] == 2, said
assert "damaged" in said[0], said
print("one flipped bit: the generation before")

store = folder / "pair" / "000003.ckpt"
whole = store.read_bytes()
lost = [b"", whole[:10], whole[:40], whole[:-1], whole + b"x", b"{" * len(whole)]
lost += [whole.replace(b"[1000]", b"[9999]"), whole.replace(b"<i8", b"<i4")]
damaged_name = whole.replace(b"<i8", b"hi8")
assert damaged_name != whole
lost.append(damaged_name)
for number, content in enumerate(lost):
    store.write_bytes(content)
    assert pair.latest(said.append) is None, (number, said)
    assert len(said) == 2 + number, (number, said)
print("nothing whole: none")

kinds = series("kinds")
several = [np.array(["cat", "mouse"]), np.array([b"ab", b"c"]), np.arange(3, dtype=">i4")]
several += [np.array(["2024-01-01"], dtype="M8[D]"), np.array([1 + 2j]), np.array(["", ""])]
kinds.save(Checkpoint({}, several))
for read, written in zip(kinds.latest(said.append).arrays, several, strict=True):
    assert (read.dtype, read.tolist()) == (written.dtype, written.tolist()), (read, written)
try:
    encode(np.zeros(2, [("a", "i4"), ("b", "f4")]), [])
except Unstorable:
    print("texts and foreign numbers come back, records are refused")

pair.save(Checkpoint({"n": 9}, []))
pair.save(Checkpoint({"n": 10}, []), last=True)
assert len(sorted((folder / "pair").glob("0*"))) == 1


def full(aside):
    raise OSError(28, "No space left on device")


try:
    pair.save(Checkpoint({"n": 11}, []), before=full)
except OSError:
    assert pair.latest(said.append).data["n"] == 10
    assert not list((folder / "pair").glob(".*"))
    print("a full disk: nothing half written")
print("all well", sys.version_info.major)
