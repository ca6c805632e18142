"""Bundles that somebody made to do harm, or that were damaged with the hashes set right again.

Each case is a name and what it does to a folder that holds a sound bundle. The same seed gives the
same cases.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from experiments.readable_files import hashes_set_right

Damage = Callable[[Path], None]
Case = tuple[str, Damage]


def edited(name: str, edit: Callable[[bytes], bytes]) -> Damage:
    """Edit the bytes of one file."""

    def damage(folder: Path) -> None:
        (folder / name).write_bytes(edit((folder / name).read_bytes()))
        if name != "bundle.json":
            hashes_set_right(folder)

    return damage


def with_json(name: str, edit: Callable[[Any], Any]) -> Damage:
    """Edit the value in a JSON file; NaN and Infinity are written as Python does."""
    return edited(name, lambda raw: json.dumps(edit(json.loads(raw))).encode())


def places_in(value: Any, path: tuple[Any, ...] = (), most: int = 4) -> Iterator[tuple[Any, ...]]:
    """Yield the paths to values inside JSON, a few of long lists and objects."""
    yield path
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        for key in keys[:most] if len(keys) > 20 else keys:
            yield from places_in(value[key], (*path, key), most)


def put(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return JSON with another value at a path."""
    if not path:
        return value
    inside = content
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    return content


SWAPS: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2**63, 10**400, 1e308, float("nan"), float("inf"), "", "0.5", "x" * 999,
    [], {}, [[]], [1, "a"], {"a": 1}, "\x00", "../../etc/passwd",
)  # fmt: skip


def json_swaps(folder: Path, rng: np.random.Generator, count: int) -> Iterator[Case]:
    """Put values of other types at places of the JSON files."""
    for name in ("bundle.json", "model.json", "metadata.json", "curve.json", "calibration.json"):
        if not (folder / name).is_file():
            continue
        places = list(places_in(json.loads((folder / name).read_text())))
        for number in range(count):
            path = places[int(rng.integers(len(places)))]
            value = SWAPS[int(rng.integers(len(SWAPS)))]
            yield (
                f"{name}: swap {number} {'/'.join(map(str, path))[:40]} = {str(value)[:20]}",
                with_json(name, lambda old, path=path, value=value: put(old, path, value)),
            )


def json_removals(folder: Path) -> Iterator[Case]:
    """Take single entries of the JSON files away."""

    def without(path: tuple[Any, ...]) -> Callable[[Any], Any]:
        def edit(content: Any) -> Any:
            inside = content
            for key in path[:-1]:
                inside = inside[key]
            del inside[path[-1]]
            return content

        return edit

    for name in ("bundle.json", "model.json", "metadata.json", "calibration.json"):
        if not (folder / name).is_file():
            continue
        content = json.loads((folder / name).read_text())
        for path in [path for path in places_in(content, most=1) if 0 < len(path) <= 3]:
            yield f"{name}: without {'/'.join(map(str, path))}", with_json(name, without(path))


def flips(folder: Path, rng: np.random.Generator, count: int) -> Iterator[Case]:
    """Flip bits of each file, and cut it off."""
    for path in sorted(folder.iterdir()):
        size = path.stat().st_size
        for number in range(count):
            place, bit = int(rng.integers(size)), int(rng.integers(8))

            def flip(raw: bytes, place: int = place, bit: int = bit) -> bytes:
                return raw[:place] + bytes([raw[place] ^ (1 << bit)]) + raw[place + 1 :]

            yield f"{path.name}: flip {number} at {place}", edited(path.name, flip)
        for share in (0.0, 0.3, 0.99):
            cut = int(size * share)
            yield f"{path.name}: cut at {cut}", edited(path.name, lambda raw, cut=cut: raw[:cut])


def arrays_of(raw: bytes) -> dict[str, np.ndarray]:
    """Read the arrays of a sound bundle."""
    with np.load(io.BytesIO(raw), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def packed(members: dict[str, bytes]) -> bytes:
    """Pack members into a ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def member(values: np.ndarray) -> bytes:
    """Return an array as NumPy writes it."""
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=True)
    return buffer.getvalue()


def header(text: str, payload: bytes = b"") -> bytes:
    """Return an array with a header as it is given."""
    raw = text.encode("latin-1") + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(raw) % 65_536) + raw + payload


HEADERS = (
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1250000000,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 2), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 9999999999), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '>f8', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<U100000000', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '|S8', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '|V8', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<f8', 'fortran_order': 3, 'shape': (1,), }",
    "{'descr': '<f8', 'shape': (1,), }",
    "__import__('os').abort()",
    "(" * 5000,
    "{" * 200 + "}" * 200,
)


def array_edits(folder: Path) -> Iterator[Case]:
    """Edit single arrays: other values, shapes and kinds, and headers that lie."""
    arrays = arrays_of((folder / "arrays.npz").read_bytes())

    def replaced(name: str, values: np.ndarray | bytes | None) -> Damage:
        def edit(raw: bytes) -> bytes:
            members = {f"{key}.npy": member(array) for key, array in arrays_of(raw).items()}
            if values is None:
                members.pop(f"{name}.npy")
            else:
                content = values if isinstance(values, bytes) else member(values)
                members[f"{name}.npy"] = content
            return packed(members)

        return edited("arrays.npz", edit)

    for name, values in arrays.items():
        yield f"{name}: missing", replaced(name, None)
        yield f"{name}: longer", replaced(name, np.concatenate([values, values[:1]]))
        yield f"{name}: empty", replaced(name, values[:0])
        yield f"{name}: one axis more", replaced(name, values[None])
        yield f"{name}: scalar", replaced(name, values.ravel()[0] if values.size else values)
        yield f"{name}: as text", replaced(name, values.astype(str))
        yield f"{name}: objects", replaced(name, values.astype(object))
        if values.dtype.kind == "f":
            for what in (np.nan, np.inf, -np.inf, 1e308, -1.0, 0.0):
                other = values.copy()
                with np.errstate(over="ignore"):
                    other.flat[0] = what
                yield f"{name}: {what}", replaced(name, other)
        if values.dtype.kind in "iu":
            for place in (-1, 10**6, 2**62):
                other = values.astype(np.int64)
                other.flat[0] = place
                yield f"{name}: {place}", replaced(name, other)
    first = next(iter(arrays))
    for number, text in enumerate(HEADERS):
        yield f"{first}: header {number}", replaced(first, header(text, b"\x00" * 24))
        yield f"unknown: header {number}", replaced("unknown", header(text))
    yield "unknown array", replaced("ridge.unknown", np.zeros(3))
    yield "unknown part", replaced("forest.coef_", np.zeros(3))
    yield "path in an archive", replaced("../../evil", np.zeros(3))


def archive_edits() -> Iterator[Case]:
    """Archives that unpack to more than they should, or are no archives of arrays."""

    def bomb(raw: bytes) -> bytes:
        huge = np.zeros(300 * 2**20 // 8)
        return packed({"harmoniser.mean.npy": member(huge)})

    def many(raw: bytes) -> bytes:
        return packed({f"a{number}.npy": member(np.zeros(1)) for number in range(3000)})

    def lying(raw: bytes) -> bytes:
        # the size that the directory states is less than what comes out
        payload = header(HEADERS[0], b"\x00" * 50_000_000)
        content = packed({"harmoniser.mean.npy": payload})
        return content.replace(struct.pack("<L", len(payload)), struct.pack("<L", 100))

    def bzip(raw: bytes) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_BZIP2) as archive:
            archive.writestr("harmoniser.mean.npy", member(np.zeros(10_000_000)))
        return buffer.getvalue()

    def twice(raw: bytes) -> bytes:
        return raw.replace(b"core.center_.npy", b"core.spread_.npy")

    def pickled(raw: bytes) -> bytes:
        return b"\x80\x04cposix\nsystem\n(S'true'\ntR."

    def encrypted(raw: bytes) -> bytes:
        return raw.replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01")

    for edit in (bomb, many, lying, bzip, twice, pickled, encrypted):
        yield f"arrays.npz: {edit.__name__}", edited("arrays.npz", edit)
    yield "arrays.npz: zeros", edited("arrays.npz", lambda raw: zlib.compress(b"\x00" * 10**7))


TREE_FIELDS = (
    "num_leaves", "num_cat", "split_feature", "split_gain", "threshold", "decision_type",
    "left_child", "right_child", "leaf_value", "leaf_weight", "leaf_count", "internal_value",
    "internal_weight", "internal_count", "is_linear", "shrinkage",
)  # fmt: skip
HEAD_FIELDS = (
    "version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective",
    "feature_names", "feature_infos", "tree_sizes", "monotone_constraints",
)  # fmt: skip
WORDS = (
    "", "-1", "0", "1", "2", "7", "99999", "2147483648", "-2147483649", "nan", "inf", "1e999",
    "abc", "0x10", "1 1", "9" * 30, "1_0", "٣",
)  # fmt: skip


def tree_edits(rng: np.random.Generator, count: int) -> Iterator[Case]:
    """Edit LightGBM's text: fields of the head and of a tree, with the sizes set right again."""

    def resized(text: str) -> str:
        head, _, rest = text.partition("\n\n")
        trees, end, tail = rest.partition("end of trees")
        blocks = trees.split("Tree=")[1:]
        sizes = " ".join(str(len(f"Tree={block}")) for block in blocks)
        lines = [
            f"tree_sizes={sizes}" if line.startswith("tree_sizes=") else line
            for line in head.split("\n")
        ]
        return "\n".join(lines) + "\n\n" + trees + end + tail

    def field(name: str, tree: int | None, change: Callable[[str], str]) -> Damage:
        def edit(raw: bytes) -> bytes:
            text = raw.decode()
            start = 0 if tree is None else text.index(f"Tree={tree}\n")
            begin = text.find(f"\n{name}=", start)
            if begin < 0:
                return raw + b" "
            begin += len(name) + 2
            end = text.index("\n", begin)
            text = text[:begin] + change(text[begin:end]) + text[end:]
            return (text if name == "tree_sizes" else resized(text)).encode()

        return edited("trees-0.txt", edit)

    def one(word: str, place: int) -> Callable[[str], str]:
        def change(old: str) -> str:
            tokens = old.split(" ")
            tokens[place % len(tokens)] = word
            return " ".join(tokens)

        return change

    for number in range(count):
        name = TREE_FIELDS[number % len(TREE_FIELDS)]
        word, place = WORDS[int(rng.integers(len(WORDS)))], int(rng.integers(6))
        tree = int(rng.integers(5))
        yield f"trees: {number} {name} of {tree} = {word[:8]}", field(name, tree, one(word, place))
    for name in HEAD_FIELDS:
        for word in WORDS[:9]:
            yield f"trees: {name} = {word}", field(name, None, one(word, 0))
            yield f"trees: all {name} = {word}", field(name, None, lambda old, word=word: word)
    yield "trees: a node is its own child", field("left_child", 0, one("0", 0))
    yield "trees: two parents", field("right_child", 0, lambda old: old[:-2] + "-1")
    yield (
        "trees: categories",
        field("num_cat", 0, lambda old: "1\ncat_boundaries=0 1\ncat_threshold=1"),
    )
    yield "trees: linear", field("is_linear", 0, lambda old: "1")
    lines = (
        ("trees: a line more", lambda raw: raw.replace(b"num_cat=0", b"num_cat=0\nevil=1", 1)),
        ("trees: no end", lambda raw: raw[: raw.index(b"end of trees")]),
        ("trees: no trees", lambda raw: raw[: raw.index(b"Tree=0")] + raw[raw.index(b"end of") :]),
        ("trees: twice", lambda raw: raw + raw),
        (
            "trees: another objective",
            lambda raw: raw.replace(b"=regression", b"=multiclass num_class:9"),
        ),
        ("trees: NUL", lambda raw: raw.replace(b"Tree=1", b"Tree\x001", 1)),
        ("trees: a parameter", lambda raw: raw.replace(b"[num_leaves: 7]", b'[num_leaves: "},{]')),
        ("trees: linear in all", lambda raw: raw.replace(b"linear_tree: 0", b"linear_tree: 1")),
        (
            "trees: linear in another parameter",
            lambda raw: raw.replace(b"[boosting: gbdt]", b"[boosting: linear_tree: 1]"),
        ),
        ("trees: pandas", lambda raw: raw.replace(b":null", b":[[[1]]]")),
        ("trees: no text", lambda raw: b""),
        ("trees: binary", lambda raw: bytes(range(256)) * 64),
    )
    for title, edit in lines:
        yield title, edited("trees-0.txt", edit)


def folder_edits() -> Iterator[Case]:
    """Edit the folder and its manifest: files missing, linked, listed twice or not at all."""

    def manifest(**changed: Any) -> Damage:
        return with_json("bundle.json", lambda old: old | changed)

    for value in (0, 1, 3, -1, 10**9, 1e9, "2", None, True, [2], 2.0, 2**70):
        yield f"manifest: trees {value}", manifest(trees=value)
        yield f"manifest: format_version {value}", manifest(format_version=value)
        yield f"manifest: sha256 {value}", manifest(sha256=value)
    for name in (
        "../evil.txt",
        "/etc/passwd",
        "a/b.txt",
        "..",
        "",
        "x" * 300,
        "C:\\evil.txt",
        "\x00",
    ):
        yield (
            f"manifest: lists {name[:12]!r}",
            with_json("bundle.json", lambda old, name=name: put(old, ("sha256", name), "0" * 64)),
        )
    yield "manifest: deep", edited("bundle.json", lambda raw: b"[" * 10**6)
    yield "manifest: deep object", edited("bundle.json", lambda raw: b'{"a":' * 10**5)
    yield (
        "model: deep",
        edited("model.json", lambda raw: b'{"genes":' + b"[" * 500 + b"]" * 500 + b"}"),
    )
    yield "model: many", edited("model.json", lambda raw: b'{"a":[' + b"[]," * 10**7 + b"[]]}")
    yield "model: large", edited("model.json", lambda raw: b'{"a":"' + b"x" * (70 * 2**20) + b'"}')
    yield "model: UTF-16", edited("model.json", lambda raw: raw.decode().encode("utf-16"))
    yield (
        "model: surrogates",
        edited("model.json", lambda raw: raw.replace(b'"genes"', b'"\\ud800"')),
    )

    def remove(name: str) -> Damage:
        def damage(folder: Path) -> None:
            (folder / name).unlink()

        return damage

    def remove_and_forget(name: str) -> Damage:
        def damage(folder: Path) -> None:
            (folder / name).unlink()
            hashes_set_right(folder)

        return damage

    for name in (
        "arrays.npz",
        "model.json",
        "metadata.json",
        "card.md",
        "trees-0.txt",
        "bundle.json",
    ):
        yield f"without {name}", remove(name)
        if name != "bundle.json":
            yield f"without {name}, not listed", remove_and_forget(name)

    def more(name: str, *, listed: bool) -> Damage:
        def damage(folder: Path) -> None:
            (folder / name).write_text("{}")
            if listed:
                hashes_set_right(folder)

        return damage

    for name in ("evil.py", "model.pkl", "trees-7.txt", "component-model.json", "MLmodel"):
        yield f"and {name}", more(name, listed=False)
        yield f"and {name}, listed", more(name, listed=True)

    def linked(folder: Path) -> None:
        target = folder.parent / "outside-model.json"
        (folder / "model.json").rename(target)
        (folder / "model.json").symlink_to(target)

    def linked_manifest(folder: Path) -> None:
        target = folder.parent / "outside-bundle.json"
        (folder / "bundle.json").rename(target)
        (folder / "bundle.json").symlink_to(target)

    def a_folder(folder: Path) -> None:
        (folder / "arrays.npz").unlink()
        (folder / "arrays.npz").mkdir()

    def loop(folder: Path) -> None:
        (folder / "card.md").unlink()
        (folder / "card.md").symlink_to(folder / "card.md")

    def sparse(folder: Path) -> None:
        with (folder / "arrays.npz").open("r+b") as stream:
            stream.truncate(10 * 2**30)

    def pipe(folder: Path) -> None:
        import os

        (folder / "card.md").unlink()
        os.mkfifo(folder / "card.md")

    for damage in (linked, linked_manifest, a_folder, loop, sparse, pipe):
        yield f"folder: {damage.__name__}", damage


def hostile_cases(folder: Path, seed: int = 0, most: int = 60) -> list[Case]:
    """Return cases for a sound bundle with trees.

    Parameters
    ----------
    folder
        The sound bundle; it is not changed.
    seed
        Of the places that are damaged at random.
    most
        How many random cases of each kind.
    """
    rng = np.random.default_rng(seed)
    return [
        *folder_edits(),
        *archive_edits(),
        *array_edits(folder),
        *tree_edits(rng, 3 * most),
        *json_swaps(folder, rng, most),
        *json_removals(folder),
        *flips(folder, rng, max(2, most // 6)),
    ]
