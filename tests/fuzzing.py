"""Mutated files through reader processes: what is read, what is refused and how, and that nothing else happens.

    python tests/fuzzing.py --count 5000 --data FOLDER      # FOLDER holds data/boundary-files and data/fields

Files of every kind are built, real ones are added, and each case damages one: bytes flipped, cut off, overwritten by
pieces of another file or by words that parsers care about; archives are also packed anew around one damaged member.
A case fails when anything but a refusal with its file and its words comes out, when a reader uses more memory than it
may, or when a file is left behind.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import pyogrio
import shapely

from geoplan.errors import GeoplanError
from geoplan.messages import catalogue
from geoplan_layers.boundary_file import ReadOptions, read_boundary
from geoplan_layers.files.limits import MB
from geoplan_layers.formats import known_suffixes
from geoplan_layers.sandbox.rules import Rules
from geoplan_layers.sandbox.session import reading
from geoplan_layers.sandbox.workers import Pool
from geoplan_layers.selector import Selector

LARGEST = 1_000_000
"""Bytes of the largest real file that is damaged."""
MEMORY = 600 * MB
SECONDS = 10.0
_WRITTEN = {
    ".gpkg": "GPKG",
    ".shp": "ESRI Shapefile",
    ".geojson": "GeoJSON",
    ".fgb": "FlatGeobuf",
    ".tab": "MapInfo File",
    ".mif": "MapInfo File",
    ".kml": "KML",
    ".dxf": "DXF",
    ".gdb": "OpenFileGDB",
}
_WORDS = (b"\xff\xff\xff\xff", b"\x00\x00\x00\x80", b"\x7f\xff\xff\xff", b"NaN", b"1e999", b"<!ENTITY a 'b'>", b"\x00", b"[[[[",
          b"&a;", b"../", b"/vsicurl/http://127.0.0.1:9/", b"\xef\xbb\xbf", b"-", b"99999999999999999999", b"\n", b",")  # fmt: skip


@dataclass(frozen=True)
class Seed:
    """A file as it should be: its name and its bytes."""

    name: str
    content: bytes

    @property
    def suffix(self) -> str:
        return Path(self.name).suffix.lower()


@dataclass
class Account:
    """What came of all cases."""

    outcomes: Counter[str] = field(default_factory=Counter)
    by_suffix: dict[str, Counter[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    peak_mb: float = 0.0
    base_mb: float = 0.0
    slowest_s: float = 0.0
    readers: set[int] = field(default_factory=set)

    def as_text(self) -> str:
        told = [f"{count:6d}  {outcome}" for outcome, count in self.outcomes.most_common()]
        told.append(f"memory of a reader: {self.base_mb:.0f} MB at its start, {self.peak_mb:.0f} MB at most")
        told.append(f"slowest case {self.slowest_s:.1f} s; {len(self.readers)} readers; failures: {len(self.failures)}")
        for suffix, outcomes in sorted(self.by_suffix.items()):
            told.append(f"{suffix:9} {dict(outcomes.most_common(6))}")
        return "\n".join([*told, *self.failures])


def built(folder: Path) -> list[Seed]:
    """Small files of every kind that GDAL writes here, alone and in zips."""
    ring = shapely.box(510_000, 3_416_000, 511_700, 3_417_700)
    hole = shapely.box(510_200, 3_416_200, 510_300, 3_416_400)
    shapes = [ring.difference(hole), shapely.box(520_000, 3_416_000, 520_100, 3_416_100)]
    frame = gpd.GeoDataFrame({"NAME": ["规划", "建设"], "MJ": [1.5, 2.5]}, geometry=shapes, crs=4549)
    seeds: list[Seed] = []
    for suffix, driver in _WRITTEN.items():
        if driver not in pyogrio.list_drivers():
            continue
        own = folder / suffix[1:]
        own.mkdir()
        data = frame[["geometry"]] if suffix == ".dxf" else frame
        data = data.to_crs(4326) if suffix in (".kml", ".geojson") else data
        with suppress(Exception):  # a driver that only reads in this build has nothing to damage
            data.to_file(own / f"a{suffix}", driver=driver, engine="pyogrio")
        files = {str(each.relative_to(own)): each.read_bytes() for each in sorted(own.rglob("*")) if each.is_file()}
        if len(files) == 1:
            seeds.append(Seed(f"a{suffix}", next(iter(files.values()))))
        if files:
            seeds.append(Seed(f"{suffix[1:]}.zip", packed({f"资料/{name}": raw for name, raw in files.items()})))
    with suppress(ImportError):
        frame.to_parquet(folder / "a.parquet")
        seeds.append(Seed("a.parquet", (folder / "a.parquet").read_bytes()))
    seeds.append(Seed("nested.zip", packed({"内.zip": seeds[0].content and packed({seeds[0].name: seeds[0].content})})))
    return seeds


def packed(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def real(data: Path) -> list[Seed]:
    """The small real files below a folder; shapefiles also packed with what belongs to them."""
    found = [
        path
        for part in ("boundary-files", "fields")
        for path in sorted((data / "data" / part).rglob("*"))
        if path.is_file() and path.stat().st_size <= LARGEST
    ]
    seeds = [Seed(path.name, path.read_bytes()) for path in found]
    for path in found:
        if path.suffix.lower() == ".shp":
            parts = {each.name: each.read_bytes() for each in path.parent.glob(f"{path.stem}.*")}
            seeds.append(Seed(f"{path.stem}.zip", packed(parts)))
    return seeds


def worth_damaging(seeds: Sequence[Seed]) -> list[Seed]:
    """Those of a format that is read here; others are refused by their suffix, damaged or not."""
    known = set(known_suffixes()) - {".zip"}

    def is_read(seed: Seed) -> bool:
        if seed.suffix != ".zip":
            return seed.suffix in known
        with zipfile.ZipFile(io.BytesIO(seed.content)) as archive:
            names = archive.namelist()
        return any(part in known or part == ".zip" for name in names for part in Path(name).suffixes + _folders(name))

    return [seed for seed in seeds if is_read(seed)]


def _folders(name: str) -> list[str]:
    return [each.suffix for each in Path(name).parents]


def mutated(seed: Seed, others: Sequence[Seed], dice: random.Random) -> bytes:
    """One damaged copy; an archive is mostly damaged inside and packed anew."""
    if seed.suffix == ".zip" and dice.random() < 0.8:
        with zipfile.ZipFile(io.BytesIO(seed.content)) as archive:
            members = {each: archive.read(each) for each in archive.namelist() if not each.endswith("/")}
        victim = dice.choice(sorted(members))
        if dice.random() < 0.1:
            members.pop(victim)
        else:
            members[victim] = damaged(members[victim], dice.choice(others).content, dice)
        return packed(members)
    return damaged(seed.content, dice.choice(others).content, dice)


def damaged(raw: bytes, other: bytes, dice: random.Random) -> bytes:
    content = bytearray(raw)
    for _ in range(dice.choice((1, 1, 2, 4))):
        size = max(len(content), 1)
        at = dice.randrange(size) if dice.random() < 0.5 else dice.randrange(min(size, 400))
        match dice.randrange(7):
            case 0:
                for _ in range(dice.choice((1, 4, 32))):
                    if content:
                        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
            case 1:
                del content[dice.randrange(size) :]
            case 2:
                start = dice.randrange(max(len(other), 1))
                piece = other[start : start + dice.choice((4, 64, 1024))]
                content[at : at + len(piece)] = piece
            case 3:
                content[at:at] = content[at : at + dice.choice((8, 256, 4096))]
            case 4:
                del content[at : at + dice.choice((1, 8, 512))]
            case 5:
                content[at : at + 4] = dice.choice(_WORDS)
            case _:
                content[at:at] = dice.choice(_WORDS) * dice.choice((1, 1, 300))
    return bytes(content)


def fuzz(seeds: Sequence[Seed], count: int, start: int, folder: Path) -> Account:
    """Run some cases; each is made from its number alone, so that one that fails can be made again."""
    warnings.simplefilter("error")  # a warning on the terminal is as good as a traceback
    account, work, inputs = Account(), folder / "work", folder / "in"
    work.mkdir()
    inputs.mkdir()
    pool = Pool(Rules(memory=MEMORY, seconds=SECONDS))
    try:
        for number in range(start, start + count):
            dice = random.Random(number)
            seed = seeds[number % len(seeds)]
            path = inputs / f"x{seed.suffix}"
            path.write_bytes(mutated(seed, seeds, dice))
            _one(path, f"case {number} ({seed.name})", work, pool, account)
            path.unlink()
    finally:
        pool.close()
    return account


def _one(path: Path, case: str, work: Path, pool: Pool, account: Account) -> None:
    began = time.monotonic()
    try:
        with reading(pool, work):
            read_boundary(Selector(path), ReadOptions(anywhere=True))
        outcome = "read"
    except GeoplanError as refused:
        outcome = refused.id
        account.failures.extend(f"{case}: {each}" for each in _wordless(refused))
        if refused.id in ("reader-fault", "reader-ended", "cannot-finish"):
            account.failures.append(f"{case}: {refused.say('en')}\n{refused.__cause__ or ''}")
    except Exception:
        outcome = "traceback"
        account.failures.append(f"{case}:\n{traceback.format_exc()}")
    account.outcomes[outcome] += 1
    account.by_suffix.setdefault(path.suffix, Counter())[outcome] += 1
    account.slowest_s = max(account.slowest_s, time.monotonic() - began)
    left = [*work.iterdir(), *(each for each in path.parent.iterdir() if each != path)]
    if left:
        account.failures.append(f"{case}: left behind {left}")
    account.failures.extend(f"{case}: {each}" for each in _memory(pool, account))


def _wordless(refused: GeoplanError) -> Iterator[str]:
    """What a refusal lacks: its file, or a second sentence that says how to mend it."""
    if refused.file is None:
        yield f"{refused.id} names no file"
    if catalogue()[f"error.{refused.id}"]["zh"].count("。") + catalogue()[f"error.{refused.id}"]["zh"].count("；") < 2:
        yield f"{refused.id} says no remedy"
    for lang in ("zh", "en"):
        refused.say(lang)


def _memory(pool: Pool, account: Account) -> Iterator[str]:
    """The most memory that idle readers ever held, against what they may."""
    for state in pool.states():
        rows = dict(row.split(":", 1) for row in Path(f"/proc/{state['pid']}/status").read_text().splitlines())
        peak = int(rows["VmHWM"].split()[0]) / 1000
        if state["pid"] not in account.readers:
            account.readers.add(state["pid"])
            account.base_mb = account.base_mb or peak
        account.peak_mb = max(account.peak_mb, peak)
        if peak > account.base_mb + MEMORY / MB:
            yield f"a reader held {peak:.0f} MB"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", type=Path, help="the account as JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "built").mkdir()
        seeds = worth_damaging(built(folder / "built") + (real(given.data) if given.data else []))
        account = fuzz(seeds, given.count, given.start, folder)
    print(f"{given.count} cases from {len(seeds)} files")
    print(account.as_text())
    if given.json:
        given.json.write_text(json.dumps({"outcomes": account.outcomes, "failures": account.failures}, indent=2))
    return 1 if account.failures else 0


if __name__ == "__main__":
    sys.exit(main())
