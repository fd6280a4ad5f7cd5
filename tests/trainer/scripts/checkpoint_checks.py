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


plain = {"none": None, "yes": True, "n": 3, "f": 0.1, "nan": float("inf"), "s": "ä",
         "list": [1, (2, "x")], "array": np.arange(3), "scalar": np.float32(2.5)}
arrays = []
encoded = encode(plain, arrays)
kept = series("plain")
kept.save(Checkpoint({"v": encoded}, [*arrays, np.float32(7), np.zeros((0, 2)), np.array([True])]))
back = kept.latest(said.append)
value = decode(back.data["v"], back.arrays)
assert value.pop("array").tolist() == [0, 1, 2]
assert plain.pop("array") is not None and value == plain, value
assert back.arrays[-3].shape == () and back.arrays[-2].shape == (0, 2)
assert back.arrays[-1].dtype == bool

try:
    encode({"f": print}, [])
except Unstorable:
    print("functions are refused")

pair = series("pair")
for n in range(4):
    pair.save(Checkpoint({"n": n}, [np.full(1000, n)]))
names = sorted(f.name for f in (folder / "pair").iterdir())
assert names == ["000003.json", "000003.npz", "000004.json", "000004.npz"], names
assert pair.latest(said.append).data["n"] == 3 and not said

store = folder / "pair" / "000004.npz"
broken = bytearray(store.read_bytes())
broken[3000] ^= 1
store.write_bytes(broken)
assert pair.latest(said.append).data["n"] == 2 and "damaged" in said[0], said
print("one flipped bit: the generation before")

(folder / "pair" / "000003.json").write_text("{")
assert pair.latest(said.append) is None and len(said) == 2
print("nothing whole: none")

pair.save(Checkpoint({"n": 9}, []))
pair.save(Checkpoint({"n": 10}, []), last=True)
assert [f.suffix for f in sorted((folder / "pair").glob("0*"))] == [".json", ".npz"]
print("all well", sys.version_info.major)
