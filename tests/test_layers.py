# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Reference layers in a home: imported, found again, equal to the file they came from, replaced and removed."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import time
import zlib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from pyogrio.raw import write as write_raw

from builders import HUZHOU, ON, X0, Y0, boundary, box, checked, farmland
from geoplan.boundary import Proposal
from geoplan.check import Options, check
from geoplan.errors import CannotFinish, InputRefused, NotFound
from geoplan.facts import Facts
from geoplan.layer_age import outdated
from geoplan.measure import survey_areas
from geoplan.messages import say
from geoplan.plane import Plane
from geoplan.progress import Cancelled
from geoplan_layers.layer_file import FileLayer
from geoplan_layers.prepared.importing import ImportRequest, import_layer
from geoplan_layers.prepared.store import LayerStore
from geoplan_layers.selector import parse_layer, parse_selector
from geoplan_web.layer_kinds import tint
from geoplan_web.map_style import LAND, land

CELLS = 30


def mesh(seed: int = 5) -> gpd.GeoDataFrame:
    """A wiggly mesh of land-use patches, one with a hole, two of two parts, rings in either direction."""
    random = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(CELLS + 1) * 60.0, np.arange(CELLS + 1) * 45.0)
    x, y = x + random.uniform(-12, 12, x.shape) + X0, y + random.uniform(-9, 9, y.shape) + Y0
    shapes: list[Any] = []
    for i in range(CELLS):
        for j in range(CELLS):
            ring = [(x[i, j], y[i, j]), (x[i, j + 1], y[i, j + 1]), (x[i + 1, j + 1], y[i + 1, j + 1])]
            ring.append((x[i + 1, j], y[i + 1, j]))
            shapes.append(shapely.Polygon(ring[:: 1 if (i + j) % 2 else -1]))
    shapes[40] = shapes[40].difference(shapely.buffer(shapes[40].representative_point(), 4))
    shapes[77] = shapely.MultiPolygon([shapes[77], box(-900, -900, 10, 10)])
    shapes[300] = shapely.MultiPolygon([shapes[300]])
    codes = random.choice(["0101", "0103", "0301", "0702", "0201K"], len(shapes))
    frame = gpd.GeoDataFrame(
        {
            "TBBH": [f"{i:04d}" if i % 7 else None for i in range(len(shapes))],
            "DLBM": codes,
            "DLMC": ["水田" if code == "0101" else "其他" for code in codes],
            "KCXS": random.choice([0.0, 0.0832, 0.12], len(shapes)),
            "QSDWMC": random.choice(["东升村", "潘杨村"], len(shapes)),
        },
        geometry=shapes,
        crs=4549,
    )
    frame["TBMJ"] = survey_areas(frame.geometry.to_numpy(), HUZHOU).round(2)
    return frame


@pytest.fixture
def store(tmp_path: Path) -> LayerStore:
    return LayerStore(tmp_path / "home" / "layers")


def written(rows: pd.DataFrame, path: Path, **options) -> Path:
    frame = gpd.GeoDataFrame(rows)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".geojson":
        path.write_text(frame.to_json(), encoding="utf-8")
    else:
        pyogrio.write_dataframe(frame, path, **options)
    return path


def imported(store: LayerStore, path: Path, role: str = "land-use", **more):
    return import_layer(ImportRequest(role, (parse_layer(f"{role}={path}"),), **more), store)


@pytest.mark.parametrize("name", ["DLTB.shp", "DLTB.gpkg", "DLTB.parquet", "DLTB.geojson", "DLTB.fgb"])
@pytest.mark.parametrize("meridian", [120, 123])
def test_a_prepared_layer_gives_what_its_file_gives(tmp_path, store, name, meridian) -> None:
    frame = mesh()
    if name.endswith("geojson"):
        frame = frame.to_crs(4490)
    path = written(frame, tmp_path / name, **({"encoding": "GBK"} if name.endswith("shp") else {}))
    layer, file = store.open("land-use", imported(store, path).id), FileLayer(parse_layer(f"land-use={path}"))
    plane = Plane(meridian)
    around = shapely.box(*plane.bring(box(200, 200, 900, 700), layer.home_frame).bounds)
    ours, theirs = layer.within(around, plane), file.within(around, plane)
    assert len(ours) > 100
    for one, other in zip(ours_and_theirs(ours), ours_and_theirs(theirs), strict=True):
        assert (one == other).all()
    if meridian == 120 and not name.endswith("geojson"):
        assert shapely.to_wkb(ours.shapes).tolist() == shapely.to_wkb(theirs.shapes).tolist()
    assert shapely.equals_exact(ours.shapes, theirs.shapes, tolerance=1e-6).all()
    assert (layer.generation, layer.coded, layer.day, layer.crs) == (file.generation, file.coded, file.day, file.crs)


def ours_and_theirs(patches):
    names = sorted(patches.attributes)
    return [patches.ids, patches.codes, patches.names, patches.net_factor, *(patches.attributes[n] for n in names)]


def test_the_open_file_holds_every_attribute_and_the_index_its_areas(tmp_path, store) -> None:
    frame = mesh()
    version = imported(store, written(frame, tmp_path / "DLTB_20241231.gpkg"), source="县局")
    read = gpd.read_parquet(version.folder / "layer.parquet").sort_values("geoplan_row").reset_index(drop=True)
    assert read.crs.to_epsg() == 4549
    assert set(frame.columns) <= set(read.columns)
    for name in ("TBBH", "DLBM", "DLMC", "KCXS", "TBMJ"):
        assert read[name].equals(frame[name].astype(read[name].dtype)), name
    assert shapely.equals(read.geometry.to_numpy(), frame.geometry.to_numpy()).all()
    pack = store.open("land-use").pack
    order = np.argsort(pack.rows)
    around = store.open("land-use").within(box(0, 0, 700, 700), HUZHOU)
    assert (around.whole_areas == survey_areas(around.shapes, HUZHOU)).all()
    assert len(store.open("land-use").within(box(0, 0, 700, 700), Plane(123)).whole_areas) == 0
    assert (pack.areas[order] == survey_areas(pack.shapes(order), HUZHOU)).all()
    assert np.abs(pack.areas[order] - frame.TBMJ.to_numpy()).max() <= 0.005 + 1e-6
    assert str(version.meta.day) == "2024-12-31"
    assert version.meta.source == "县局"


def test_the_same_data_are_the_same_version_and_other_data_another(tmp_path, store) -> None:
    path = written(mesh(), tmp_path / "DLTB.gpkg")
    first = imported(store, path)
    again = imported(store, path)
    assert (first.id, first.folder) == (again.id, again.folder)
    other = imported(store, written(mesh(6), tmp_path / "DLTB2.gpkg"))
    assert other.id != first.id
    assert store.in_use("land-use").id == other.id
    assert {each.id for each in store.versions("land-use")} == {first.id, other.id}
    assert store.by_hash(first.meta.sha256).id == first.id
    store.remove("land-use", other.id)
    assert store.in_use("land-use").id == first.id
    store.remove("land-use")
    assert store.roles() == []
    with pytest.raises(NotFound, match="no layer is registered as land-use"):
        store.open("land-use")


def test_an_open_layer_outlives_its_removal(tmp_path, store) -> None:
    imported(store, written(mesh(), tmp_path / "DLTB.gpkg"))
    layer = store.open("land-use")
    before = layer.within(box(0, 0, 500, 500), HUZHOU)
    store.remove("land-use")
    after = layer.within(box(0, 0, 500, 500), HUZHOU)
    assert shapely.equals_exact(before.shapes, after.shapes).all()


def test_codes_that_could_mean_different_land_are_asked_about(tmp_path, store) -> None:
    path = written(mesh().drop(columns="KCXS"), tmp_path / "patches.gpkg")
    with pytest.raises(InputRefused, match="FILE@ and one of third-survey, second-survey") as refused:
        imported(store, path)
    assert refused.value.message.args["choices"][0] == "third-survey"
    assert store.roles() == []
    version = import_layer(ImportRequest("land-use", (parse_layer(f"land-use={path}@third-survey"),)), store)
    assert version.meta.generation == "third-survey"


def test_an_import_that_is_stopped_leaves_what_was_there(tmp_path, store) -> None:
    first = imported(store, written(mesh(), tmp_path / "a.gpkg"))
    path = written(mesh(6), tmp_path / "b.gpkg")

    for wanted in ("reading", "indexing", "quality", "finishing"):

        def stopping(stage: str, done: float, total: float, wanted: str = wanted) -> None:
            if stage == wanted:
                raise Cancelled

        with pytest.raises(Cancelled, match="stopped as asked"):
            import_layer(ImportRequest("land-use", (parse_layer(f"land-use={path}"),)), store, stopping)
        assert [each.id for each in store.versions("land-use")] == [first.id]
        assert list((tmp_path / "home" / "tmp").iterdir()) == []


def test_a_declared_coverage_is_the_files(tmp_path, store) -> None:
    path = written(mesh(), tmp_path / "a.gpkg")
    area = box(-1000, -1000, 5000, 5000)
    covers = written(gpd.GeoDataFrame(geometry=[area], crs=4549), tmp_path / "c.gpkg")
    imported(store, path, coverage=parse_selector(str(covers)))
    layer = store.open("land-use")
    file = FileLayer(parse_layer(f"land-use={path}"), parse_selector(str(covers)))
    assert shapely.to_wkb(layer.declared(HUZHOU)) == shapely.to_wkb(file.declared(HUZHOU))
    assert layer.coverage_source == file.coverage_source


def test_several_files_are_one_layer(tmp_path, store) -> None:
    frame = mesh()
    parts = [written(frame.iloc[:400], tmp_path / "a.shp"), written(frame.iloc[400:], tmp_path / "b.gpkg")]
    request = ImportRequest("land-use", tuple(parse_layer(f"land-use={path}") for path in parts))
    version = import_layer(request, store)
    layer = store.open("land-use")
    assert version.meta.patches == len(frame)
    whole = layer.within(box(-2000, -2000, 9000, 9000), HUZHOU)
    assert shapely.equals(whole.shapes, frame.geometry.to_numpy()).all()
    assert whole.codes.tolist() == frame.DLBM.tolist()


@pytest.mark.parametrize("epsg", [4490, 4548, 4326])
def test_files_in_several_systems_are_one_layer_in_that_of_the_first(tmp_path, store, epsg) -> None:
    frame, broken = marred()
    frame = frame.iloc[:400]
    path = written(frame, tmp_path / "whole.gpkg")
    whole = imported(store, path)
    parts = [written(frame.iloc[:150], tmp_path / "a.shp"), written(frame.iloc[150:].to_crs(epsg), tmp_path / "b.gpkg")]
    request = ImportRequest("land-use", tuple(parse_layer(f"land-use={each}") for each in parts))
    version = import_layer(request, store)
    assert version.meta.crs == whole.meta.crs == "EPSG:4549"
    assert [each.crs for each in version.meta.origins] == ["EPSG:4549", f"EPSG:{epsg}"]
    assert version.meta.quarantine.rows == whole.meta.quarantine.rows == len([i for i in broken if i < 400]) > 3
    assert version.meta.quality.overlaps is not None
    assert version.meta.quality.overlaps.pairs == 0
    one, other = (shapely.from_wkb((each.folder / "unknown.wkb").read_bytes()) for each in (whole, version))
    assert shapely.area(shapely.symmetric_difference(one, other)) < 1e-3
    ours, theirs = (store.open("land-use", each.id).within(box(0, 0, 1500, 800), HUZHOU) for each in (version, whole))
    assert len(ours) == len(theirs) > 200
    assert ours.codes.tolist() == theirs.codes.tolist()
    assert shapely.equals_exact(ours.shapes, theirs.shapes, tolerance=1e-6).all()
    read = gpd.read_parquet(version.folder / "layer.parquet").sort_values("geoplan_row")
    kept = frame.geometry.drop(index=[i for i in broken if i < 400]).to_numpy()
    assert shapely.area(shapely.symmetric_difference(read.geometry.to_numpy(), kept)).max() < 1e-3


def test_roads_may_be_lines(tmp_path, store) -> None:
    lines = [shapely.LineString([(X0 + i, Y0), (X0 + 500 + i, Y0 + 800)]) for i in range(0, 900, 30)]
    path = written(gpd.GeoDataFrame({"name": ["S10"] * len(lines)}, geometry=lines, crs=4549), tmp_path / "roads.gpkg")
    imported(store, path, "roads")
    window = box(100, 100, 200, 300)
    ours = store.open("roads").within(window, HUZHOU)
    theirs = FileLayer(parse_layer(f"roads={path}")).within(window, HUZHOU)
    assert len(ours) == len(theirs) > 0
    assert shapely.equals_exact(ours.shapes, theirs.shapes).all()
    assert ours.ids.tolist() == theirs.ids.tolist()


def marred(seed: int = 9) -> tuple[gpd.GeoDataFrame, list[int]]:
    """A mesh of which 2 % of the patches are broken: bow ties, one without geometry aside."""
    frame, random = mesh(seed), np.random.default_rng(seed)
    broken = sorted(int(i) for i in random.choice(np.arange(100, 290), round(0.02 * len(frame)), replace=False))
    for i in broken:
        a, b, c, d = shapely.get_coordinates(frame.geometry[i])[:4]
        frame.loc[i, "geometry"] = shapely.Polygon([a, c, b, d])
    return frame, broken


def test_broken_patches_are_listed_and_their_ground_is_not_known(tmp_path, store) -> None:
    frame, broken = marred()
    covers = written(gpd.GeoDataFrame(geometry=[box(-500, -500, 3000, 2500)], crs=4549), tmp_path / "c.gpkg")
    version = imported(store, written(frame, tmp_path / "a.gpkg"), coverage=parse_selector(str(covers)))
    left = version.meta.quarantine
    assert (left.rows, left.reasons, left.placeless) == (len(broken), {"invalid": len(broken)}, 0)
    listed = gpd.read_parquet(version.folder / "quarantine.parquet")
    assert listed.geoplan_row.tolist() == [i + 1 for i in broken]
    assert set(listed.geoplan_reason) == {"invalid"}
    assert listed.geoplan_detail.str.contains("Self-intersection").all()
    assert listed.DLBM.tolist() == frame.DLBM[broken].tolist()
    layer = store.open("land-use")
    known = layer.declared(HUZHOU)
    missing = shapely.difference(box(-500, -500, 3000, 2500), known)
    mended = shapely.union_all(shapely.make_valid(np.asarray(frame.geometry[broken], dtype=object)))
    assert shapely.area(shapely.difference(mended, missing)) < 1e-6
    assert abs(left.area_m2 - survey_areas(np.array([missing], dtype=object), HUZHOU)[0]) < 0.02
    assert [note.id for note in layer.notes] == ["layer.quarantined"]


def test_the_ground_of_broken_patches_lies_where_they_mean_it_when_axes_are_exchanged(tmp_path, store) -> None:
    """A bow tie, and a ring that is not closed, which no library would write: both as their bytes."""
    frame = mesh().iloc[:40]
    rings = [shapely.get_coordinates(each) for each in frame.geometry[3:5]]
    bow, open_ring = rings[0][[0, 2, 1, 3, 0]], rings[1][:4]
    grounds = {}
    for name, order in (("a", [0, 1]), ("b", [1, 0])):
        shapes = shapely.transform(frame.geometry.to_numpy(), lambda xy, order=order: xy[:, order])
        raw = np.array([*shapely.to_wkb(shapes, byte_order=1), *(_wkb(each[:, order]) for each in (bow, open_ring))])
        codes = [*frame.DLBM, "0101", "0101"]
        path = tmp_path / f"{name}.gpkg"
        fields = {"field_data": [np.array(codes, dtype=object), np.zeros(42)], "fields": ["DLBM", "KCXS"]}
        write_raw(path, raw, geometry_type="Polygon", crs="EPSG:4549", **fields)
        spec = parse_layer(f"land-use={path}" + ("@swap-xy" if name == "b" else ""))
        version = import_layer(ImportRequest("land-use", (spec,)), store)
        assert version.meta.quarantine.reasons == {"invalid": 1, "unreadable": 1}
        assert version.meta.quarantine.placeless == 0
        grounds[name] = shapely.from_wkb((version.folder / "unknown.wkb").read_bytes())
    assert shapely.area(grounds["a"]) > 3_000
    assert shapely.area(shapely.symmetric_difference(grounds["a"], grounds["b"])) < 1e-6


def _wkb(ring: np.ndarray) -> bytes:
    return struct.pack("<BIII", 1, 3, 1, len(ring)) + np.ascontiguousarray(ring).tobytes()


def test_an_exclusion_over_a_quarantined_patch_is_no_pass(tmp_path, store) -> None:
    frame, broken = marred()
    near = shapely.make_valid(frame.geometry[broken[0]])
    frame = frame.assign(farm=frame.index.isin(broken)).query("farm").drop(columns="farm")
    covers = written(gpd.GeoDataFrame(geometry=[box(-500, -500, 3000, 2500)], crs=4549), tmp_path / "c.gpkg")
    path = written(pd.concat([frame, far_away(frame)]), tmp_path / "YJJBNT.gpkg")
    role = "permanent-basic-farmland"
    imported(store, path, role, coverage=parse_selector(str(covers)))
    over = shapely.box(*shapely.bounds(shapely.buffer(near, 5)))
    beside = box(2_100, 1_700, 100, 100)
    found = {}
    for name, drawn in (("over", over), ("beside", beside)):
        report = check(
            Proposal(boundary(drawn), boundary(drawn), name, Facts()), (), [store.open(role)], None, Options(ON)
        )
        law = next(p for p in report.content.policies if p.id == "land-law")
        found[name] = next(f for f in law.findings if f.kind == "exclusion" and role in f.layers)
    assert found["beside"].verdict == "pass"
    assert found["over"].verdict in {"not-assessed", "attention"}
    assert found["over"].coverage["construction"] < 1.0


def far_away(frame: pd.DataFrame) -> pd.DataFrame:
    """One good patch of the same layer, away from everything."""
    return frame.iloc[:1].assign(geometry=[box(2_500, 2_300, 20, 20)])


def test_a_row_without_shape_leaves_nothing_proved(tmp_path, store) -> None:
    frame = mesh()
    frame.loc[5, "geometry"] = None
    covers = written(gpd.GeoDataFrame(geometry=[box(-500, -500, 3000, 2500)], crs=4549), tmp_path / "c.gpkg")
    version = imported(store, written(frame, tmp_path / "a.gpkg"), coverage=parse_selector(str(covers)))
    assert version.meta.quarantine.reasons == {"empty": 1}
    assert version.coverage_from == "assumed"
    layer = store.open("land-use")
    assert layer.declared(HUZHOU) is None
    assert [note.id for note in layer.notes] == ["layer.quarantined", "layer.placeless"]


def test_quality_names_overlaps_gaps_codes_and_the_area_column(tmp_path, store) -> None:
    frame = mesh()
    hole = frame.geometry[200]
    frame = frame.drop(index=200).reset_index(drop=True)
    frame.loc[500, "geometry"] = frame.geometry[500].union(box_inside(frame.geometry[501]))
    frame = pd.concat(
        [frame, frame.iloc[[20]], frame.iloc[[30]].assign(DLBM="0301", DLMC="乔木林地")], ignore_index=True
    )
    frame.loc[10, "DLBM"] = "9999"
    frame["TBMJ"] = (frame.TBMJ / 10_000).round(4)
    frame.loc[60, "TBMJ"] += 0.05
    covers = written(gpd.GeoDataFrame(geometry=[frame.union_all().union(hole)], crs=4549), tmp_path / "c.gpkg")
    quality_of = imported(store, written(frame, tmp_path / "a.gpkg"), coverage=parse_selector(str(covers))).meta
    quality, overlap = quality_of.quality, frame.geometry[500].intersection(frame.geometry[501]).area
    assert quality_of.quarantine.reasons == {"duplicate": 1}
    assert quality.unknown_codes == 1
    assert quality.areas is not None
    assert (quality.areas.unit, quality.areas.field) == ("ha", "TBMJ")
    assert quality.areas.worst[0].id == frame.TBBH[60]
    assert quality.areas.beyond >= 1
    assert quality.overlaps is not None
    assert quality.overlaps.pairs == 2
    assert abs(quality.overlaps.area_m2 - overlap - frame.geometry[30].area) < 0.1
    assert quality.gaps is not None
    assert quality.gaps.count == 1
    assert abs(quality.gaps.area_m2 - shapely.area(hole)) < 0.1
    place = HUZHOU.from_lonlat(np.array([quality.gaps.worst[0].lon]), np.array([quality.gaps.worst[0].lat]))
    assert shapely.contains(hole, shapely.Point(place[0][0], place[1][0]))


def box_inside(shape) -> shapely.Polygon:
    """A square of 8 m about a point of a shape, reaching its left neighbour."""
    point, west = shape.representative_point(), shape.bounds[0]
    found = shapely.box(west - 4, point.y - 4, point.x, point.y + 4).intersection(shape)
    assert isinstance(found, shapely.Polygon)
    return found


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "geoplan_api", *arguments]
    environment = {**os.environ, "GEOPLAN_HOME": str(home)}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)


def test_the_command_line_imports_lists_shows_and_removes(tmp_path) -> None:
    path = written(mesh(), tmp_path / "DLTB_20241231.shp", encoding="GBK")
    home = tmp_path / "home"
    added = run(home, "layers", "add", "land-use", str(path), "--source", "县局", "--lang", "en")
    assert added.returncode == 0, added.stderr
    assert "900 patches" in added.stdout
    assert "reading, 100 %" in added.stderr
    listed = json.loads(run(home, "layers", "list", "--json").stdout)
    assert [(each["role"], each["in_use"], each["date"]) for each in listed] == [("land-use", True, "2024-12-31")]
    png = tmp_path / "layer.png"
    shown = run(home, "layers", "info", "land-use", "--json", "--picture", str(png))
    assert json.loads(shown.stdout)["source"] == "县局"
    colours = np.unique(pixels(png).reshape(-1, 3), axis=0)
    on_map = {tint(land(group)) for group in LAND}
    assert {tuple(each) for each in colours.tolist()} - {(255, 255, 255)} <= on_map
    assert len(colours) >= 4
    unsure = run(
        home,
        "layers",
        "add",
        "land-use",
        str(written(mesh().drop(columns="KCXS"), tmp_path / "x.gpkg")),
        "--lang",
        "en",
    )
    assert (unsure.returncode, unsure.stdout) == (2, "")
    assert "Say which behind the file's name: FILE@" in unsure.stderr
    assert run(home, "layers", "remove", "land-use").returncode == 0
    assert json.loads(run(home, "layers", "list", "--json").stdout) == []
    gone = run(home, "layers", "info", "land-use", "--lang", "en")
    assert gone.returncode == 2
    assert "no layer is registered as land-use" in gone.stderr


def pixels(png: Path) -> np.ndarray:
    """The pixels of a PNG of true colours without filters."""
    raw = png.read_bytes()
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">2I", raw[16:24])
    assert min(width, height) > 100
    at, packed = 8, b""
    while at < len(raw):
        (length,) = struct.unpack(">I", raw[at : at + 4])
        packed += raw[at + 8 : at + 8 + length] if raw[at + 4 : at + 8] == b"IDAT" else b""
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + 3 * width)
    return rows[:, 1:]


def test_a_killed_import_leaves_the_old_version_and_the_next_one_sweeps(tmp_path) -> None:
    home = tmp_path / "home"
    small = written(mesh(), tmp_path / "DLTB.gpkg")
    assert run(home, "layers", "add", "land-use", str(small)).returncode == 0
    before = json.loads(run(home, "layers", "list", "--json").stdout)
    big = written(pd.concat([mesh(seed) for seed in range(60)], ignore_index=True), tmp_path / "big.gpkg")
    command = [sys.executable, "-m", "geoplan_api", "layers", "add", "land-use", str(big)]
    environment = {**os.environ, "GEOPLAN_HOME": str(home)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as running:
        while not list(home.glob("tmp/layer-*/work/rows-0.arrow")):
            assert running.poll() is None, running.stderr.read() if running.stderr else ""
            time.sleep(0.02)
        running.kill()
    assert list(home.glob("tmp/layer-*"))
    assert json.loads(run(home, "layers", "list", "--json").stdout) == before
    assert run(home, "layers", "add", "land-use", str(small)).returncode == 0
    assert list((home / "tmp").iterdir()) == []
    assert json.loads(run(home, "layers", "list", "--json").stdout)[0]["version"] == before[0]["version"]


def test_a_check_uses_the_homes_layers_near_its_boundary_and_replays(tmp_path) -> None:
    home = tmp_path / "home"
    path = written(mesh(), tmp_path / "DLTB_20241231.gpkg")
    assert run(home, "layers", "add", "land-use", str(path)).returncode == 0
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    planning = written(gpd.GeoDataFrame(geometry=[box(200, 200, 900, 700)], crs=4549), inputs / "p.gpkg")
    far = written(gpd.GeoDataFrame(geometry=[box(90_000, 200, 900, 700)], crs=4549), tmp_path / "far.gpkg")
    out = tmp_path / "out"
    ours = json.loads(run(home, "check", "--planning", str(planning), "--json", "--out", str(out)).stdout)
    by_file = json.loads(
        run(tmp_path / "other", "check", "--planning", str(planning), "--json", "--layer", f"land-use={path}").stdout
    )
    assert [layer["role"] for layer in ours["layers"]] == ["land-use"]
    assert ours["layers"][0]["sha256"] == LayerStore(home / "layers").version("land-use").meta.sha256
    assert without_source(ours) == without_source(by_file)
    assert json.loads(run(home, "check", "--planning", str(far), "--json").stdout)["layers"] == []
    replaced = run(home, "check", "--planning", str(planning), "--json", "--layer", f"land-use={path}").stdout
    assert json.loads(replaced)["id"] == by_file["id"]
    again = run(home, "replay", str(out / "report.json"), "--from", str(inputs), "--lang", "en")
    assert again.returncode == 0, again.stdout + again.stderr
    assert run(home, "layers", "add", "land-use", str(written(mesh(4), tmp_path / "n.gpkg"))).returncode == 0
    assert run(home, "replay", str(out / "report.json"), "--from", str(inputs)).returncode == 0
    run(home, "layers", "remove", "land-use", ours["layers"][0]["sha256"][:16])
    lost = run(home, "replay", str(out / "report.json"), "--from", str(inputs), "--json")
    assert lost.returncode == 3
    assert [each["sha256"] for each in json.loads(lost.stdout)["missing"]] == [ours["layers"][0]["sha256"]]


def without_source(report: dict[str, Any]) -> dict[str, Any]:
    """A report without what names its layers and the moment."""
    kept = {key: value for key, value in report.items() if key not in {"id", "made_at"}}
    named = {"file", "sha256"}
    return kept | {"layers": [{k: v for k, v in each.items() if k not in named} for each in report["layers"]]}


def test_a_layer_that_is_old_replaced_or_past_its_term_is_told() -> None:
    drawn = box(0, 0, 900, 900)
    fresh = farmland(box(2_000, 0, 10, 10))

    def told(layer, **options) -> list[str]:
        report = checked(drawn, drawn, (), [layer], **options)
        found = [each.id for each in report.content.warnings]
        return [each for each in found if each.startswith("warning.layer-")]

    assert told(fresh) == []
    assert told(replace(fresh, day=date(2023, 11, 20))) == ["warning.layer-old"]
    assert told(replace(fresh, day=date(2023, 11, 21))) == []
    assert told(replace(fresh, day=date(2023, 11, 20)), layer_max_age_years=4) == []
    assert told(replace(fresh, valid_until=date(2026, 11, 20))) == ["warning.layer-expired"]
    assert told(replace(fresh, valid_until=ON)) == []
    assert told(replace(fresh, generation="second-survey")) == ["warning.layer-second-survey"]
    assert told(replace(fresh, generation="second-survey", day=date(2018, 12, 31)), on=date(2019, 6, 1)) == []
    assert "of 2023-11-20, more than 3 years" in say(
        next(iter(outdated([replace(fresh, day=date(2023, 11, 20))], ON, 3))), "en"
    )


@pytest.mark.parametrize("role", ["land-use", "roads"])
def test_a_lost_index_is_made_anew_from_the_open_file(tmp_path, store, role) -> None:
    frame = mesh()
    if role == "roads":
        frame = frame[["TBBH", "geometry"]].assign(geometry=frame.geometry.boundary)
    parts = [
        written(frame.iloc[:500], tmp_path / "a.gpkg"),
        written(frame.iloc[500:], tmp_path / "b.shp", encoding="GBK"),
    ]
    version = import_layer(ImportRequest(role, tuple(parse_layer(f"{role}={each}") for each in parts)), store)
    index = version.folder / "index"
    before = {each.name: each.read_bytes() for each in index.iterdir()}
    (index / "boxes.npy").unlink()
    assert len(store.open(role).pack) == len(frame)
    assert {each.name: each.read_bytes() for each in index.iterdir()} == before
    (version.folder / "layer.parquet").write_bytes(b"PAR1")
    (index / "boxes.npy").unlink()
    with pytest.raises(CannotFinish, match="is damaged"):
        store.open(role)
