"""Damage files of every format at random and see whether the readers refuse them in a sentence.

    python -m experiments.fuzz_readers --mutants 300

Each mutant is read with 10 seconds of CPU time and 2 GB, many in turn by the same child process.
Good are a result, or an error that the package raises on purpose in at most 600 characters. Other
endings are looked at once more in a process of their own and printed with the seed that makes them.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.bounded import Outcome, run_each_bounded
from experiments.quick_walk import walk_quickly
from experiments.readable_files import Reader, every_reader

SECONDS, MEGABYTES, LONGEST_MESSAGE = 10.0, 2048, 600

_CELLS = (
    b"",
    b"NA",
    b"nan",
    b"inf",
    b"-inf",
    b"1e999",
    b"-1",
    b"1,5",
    b"abc",
    b'"',
    b"=1+1",
    b"\xff",
    b"9" * 400,
    b"x" * 100_000,
    b"\x00",
    b"TP53",
    b"S0",
    b"7-Mar",
    "＝1".encode(),
    b"{}",
    b"[",
)

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE]-?\d+)?")
_NUMBERS = (
    b"0",
    b"1",
    b"-1",
    b"2",
    b"7.5",
    b"1e308",
    b"-1e-320",
    b"1e999",
    b"NaN",
    b"2147483648",
    b"9223372036854775808",
    b"9" * 30,
    b"true",
    b'"1"',
    b"[]",
    b"",
)


def mutate(content: bytes, rng: np.random.Generator) -> bytes:
    """Damage bytes in one to four places: flipped, cut, spliced, cells and numbers replaced.

    Half of the mutants are damaged in one place alone, so that some get past the first check.
    """
    damaged = bytearray(content)
    for _ in range(min(4, int(rng.geometric(0.5)))):
        if not damaged:
            break
        place = int(rng.integers(len(damaged)))
        length = int(rng.integers(1, max(2, min(200, len(damaged)))))
        match int(rng.integers(9)):
            case 0:  # some bytes flipped
                for _ in range(int(rng.integers(1, 9))):
                    damaged[int(rng.integers(len(damaged)))] ^= 1 << int(rng.integers(8))
            case 1:  # cut off
                del damaged[place:]
            case 2:  # a part left out
                del damaged[place : place + length]
            case 3:  # a part stands twice
                damaged[place:place] = damaged[place : place + length]
            case 4:  # noise
                damaged[place : place + length] = rng.bytes(length)
            case 5:  # numbers of a binary header
                value = int(
                    rng.choice([0, 1, 255, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**62, 2**63 - 1])
                )
                damaged[place : place + 8] = value.to_bytes(8, "little")
            case 6:  # lines in another order, or one many times
                lines = bytes(damaged).split(b"\n")
                one = int(rng.integers(len(lines)))
                damaged = bytearray(
                    b"\n".join(
                        [*lines[:one], *[lines[-1 - one]] * int(rng.integers(1, 40)), *lines[one:]]
                    )
                )
            case 7:  # a number in text replaced
                numbers = list(_NUMBER.finditer(damaged))
                if numbers:
                    one = numbers[int(rng.integers(len(numbers)))]
                    damaged[one.start() : one.end()] = _NUMBERS[int(rng.integers(len(_NUMBERS)))]
            case _:  # a cell replaced
                marks = [i for i, byte in enumerate(damaged) if byte in b",\t;\n"]
                if marks:
                    one = int(rng.integers(len(marks)))
                    end = marks[one + 1] if one + 1 < len(marks) else len(damaged)
                    damaged[marks[one] + 1 : end] = _CELLS[int(rng.integers(len(_CELLS)))]
    return bytes(damaged)


def verdict(outcome: Outcome) -> str:
    """Say what is wrong with an outcome; empty when nothing is."""
    if outcome.kind == "refused" and len(outcome.message) > LONGEST_MESSAGE:
        return "long message"
    return "" if outcome.kind in ("done", "refused") else outcome.kind


@dataclass(frozen=True)
class Findings:
    """What came of the mutants of one file.

    Attributes
    ----------
    kinds
        How many ended how.
    bad
        Seed, what is wrong and how it ended of those that fail.
    """

    kinds: Counter[str]
    bad: list[tuple[int, str, Outcome]]


def fuzz(reader: Reader, mutants: int, first: int) -> Findings:
    """Read mutants of one file.

    What fails among many that one process reads is read again in a process of its own. It is a
    finding either way: what fails only in company says so.
    """
    original = reader.damaged.read_bytes()

    def damage(seed: int) -> None:
        reader.damaged.write_bytes(mutate(original, np.random.default_rng([seed, len(original)])))

    def attempt(seed: int) -> None:
        walk_quickly()
        damage(seed)
        reader.read(reader.path)

    def each(call: Callable[[int], object], seeds: Sequence[int]) -> Iterator[Outcome]:
        return run_each_bounded(call, seeds, seconds=SECONDS, megabytes=MEGABYTES)

    seeds = range(first, first + mutants)
    found = dict(zip(seeds, each(attempt, seeds), strict=True))
    bad = []
    for seed, among_others in found.items():
        if not verdict(among_others):
            continue
        damage(seed)
        (alone,) = each(lambda _: reader.read(reader.path), [seed])
        if verdict(alone):
            bad.append((seed, verdict(alone), alone))
        else:
            bad.append((seed, f"{verdict(among_others)} after other mutants", among_others))
    reader.damaged.write_bytes(original)
    return Findings(Counter(outcome.kind for outcome in found.values()), bad)


def main() -> None:
    """Fuzz the readers named, or all of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mutants", type=int, default=300, help="for each reader")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument(
        "--only", nargs="*", default=[""], help="readers whose name holds one of these"
    )
    parser.add_argument("--without", nargs="*", default=[], help="and none of these")
    parser.add_argument(
        "--part", default="1/1", metavar="N/ALL", help="every ALL-th reader, from the N-th on"
    )
    parser.add_argument("--keep", type=Path, help="folder for the mutants that fail")
    parser.add_argument("--log", type=Path, help="file for a line of JSON for each reader")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    part, parts = map(int, options.part.split("/"))
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        readers = every_reader(Path(temporary))
        for reader in readers:
            reader.read(reader.path)  # the undamaged file is read, and everything is imported
        chosen = [
            reader
            for reader in readers
            if any(text in reader.name for text in options.only)
            and not any(text in reader.name for text in options.without)
        ][part - 1 :: parts]
        for reader in chosen:
            began = time.monotonic()
            found = fuzz(reader, options.mutants, options.first)
            failed += len(found.bad)
            _tell(reader, found, time.monotonic() - began)
            if options.log:
                _log(reader, found, options)
            if found.bad and options.keep:
                _keep(reader, found, options.keep)
    sys.exit(1 if failed else 0)


def _tell(reader: Reader, found: Findings, seconds: float) -> None:
    ends = ", ".join(f"{count} {kind}" for kind, count in sorted(found.kinds.items()))
    print(f"{reader.name}: {len(found.bad)} wrong; {ends} ({seconds:.0f} s)", flush=True)
    classes = Counter((wrong, outcome.message[:160]) for _, wrong, outcome in found.bad)
    first = {(wrong, o.message[:160]): seed for seed, wrong, o in reversed(found.bad)}
    for (wrong, message), count in classes.most_common():
        print(f"  {count} × {wrong} (seed {first[wrong, message]}): {message}", flush=True)


def _log(reader: Reader, found: Findings, options: argparse.Namespace) -> None:
    line = {
        "reader": reader.name,
        "first": options.first,
        "mutants": options.mutants,
        "ends": found.kinds,
        "bad": [[seed, wrong, outcome.message] for seed, wrong, outcome in found.bad],
    }
    with options.log.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")


def _keep(reader: Reader, found: Findings, folder: Path) -> None:
    original = reader.damaged.read_bytes()
    for seed, _, _ in found.bad:
        target = folder / f"{seed}-{reader.path.name}"
        if reader.path.is_dir():
            shutil.copytree(reader.path, target, dirs_exist_ok=True)
            target = target / reader.damaged.relative_to(reader.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(mutate(original, np.random.default_rng([seed, len(original)])))


if __name__ == "__main__":
    main()
