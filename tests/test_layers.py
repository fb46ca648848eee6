# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Reference layers in a home: imported, found again, equal to the file they came from, replaced and removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from builders import HUZHOU, X0, Y0, box
from geoplan.errors import InputRefused, NotFound
from geoplan.measure import survey_areas
from geoplan.plane import Plane
from geoplan.progress import Cancelled
from geoplan_layers.layer_file import FileLayer
from geoplan_layers.prepared.importing import ImportRequest, import_layer
from geoplan_layers.prepared.store import LayerStore
from geoplan_layers.selector import parse_layer, parse_selector

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


def written(frame: gpd.GeoDataFrame, path: Path, **options) -> Path:
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
    parts = [written(frame[:400], tmp_path / "a.shp"), written(frame[400:], tmp_path / "b.gpkg")]
    request = ImportRequest("land-use", tuple(parse_layer(f"land-use={path}") for path in parts))
    version = import_layer(request, store)
    layer = store.open("land-use")
    assert version.meta.patches == len(frame)
    whole = layer.within(box(-2000, -2000, 9000, 9000), HUZHOU)
    assert shapely.equals(whole.shapes, frame.geometry.to_numpy()).all()
    assert whole.codes.tolist() == frame.DLBM.tolist()
    turned = written(frame[400:].to_crs(4490), tmp_path / "c.gpkg")
    files = (parse_layer(f"land-use={parts[0]}"), parse_layer(f"land-use={turned}"))
    with pytest.raises(InputRefused, match="the files are in different systems: this one in EPSG:4490"):
        import_layer(ImportRequest("land-use", files), store)


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
