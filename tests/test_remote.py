"""Layers from PostGIS and from object storage: what is copied is what lies there, and only where it is allowed."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from pydantic import SecretStr

from geoplan.errors import CallRefused, CannotFinish, GeoplanError, InputRefused, TooLarge
from geoplan.progress import Cancelled, Progress, unwatched
from geoplan_api.settings import read_settings
from geoplan_layers.files.limits import LAYER
from geoplan_layers.remote import object_store
from geoplan_layers.remote.allowed import Bucket, Database, Folder, Table, found
from geoplan_layers.remote.object_store import fetch_folder
from geoplan_layers.remote.postgis import fetch_table
from geoplan_layers.selector import Selector
from geoplan_layers.vector import read_table
from outside import (  # noqa: F401 - the fixtures are used by name
    PASSWORD,
    Cluster,
    Storage,
    fixture_cluster,
    fixture_storage,
    free_port,
)


def database(cluster: Cluster, *tables: str, **more: Any) -> Database:
    given = {"password": PASSWORD, "tables": tables or ("survey.*",), "tls": "disable", **more}
    return Database(address=cluster.reader_address, **given)


def table(cluster: Cluster, name: str, **more: Any) -> Table:
    asked = found(f"{cluster.address}#survey.{name}", [database(cluster, **more)], [])
    assert isinstance(asked, Table)
    return asked


def patches(count: int, srid: int = 4528) -> list[tuple[str, str, float, str]]:
    side = int(np.ceil(np.sqrt(count)))
    boxes = [
        shapely.box(4e7 + 500_000 + 100 * (i % side), 3.4e6 + 100 * (i // side), 4e7 + 500_090 + 100 * (i % side), 3.4e6 + 90 + 100 * (i // side))
        for i in range(count)
    ]  # fmt: skip
    return [("0101" if i % 2 else "0303", "旱地" if i % 3 else "灌木林地", 8100.0 + i, f"SRID={srid};{b.wkt}") for i, b in enumerate(boxes)]  # fmt: skip


def filled(cluster: Cluster, name: str, count: int, srid: int = 4528, kind: str = "geometry(Polygon, 4528)") -> None:
    cluster.run(
        f"DROP TABLE IF EXISTS survey.{name}",
        f'CREATE TABLE survey.{name} (gid serial PRIMARY KEY, "DLBM" varchar(5), "DLMC" text, "TBMJ" numeric(15,2), '
        f"gxsj timestamp DEFAULT '2023-12-31 10:00', geom {kind})",
        f"GRANT SELECT ON survey.{name} TO reader",
    )
    with cluster.owner() as connection:
        connection.cursor().executemany(
            f'INSERT INTO survey.{name} ("DLBM", "DLMC", "TBMJ", geom) VALUES (%s, %s, %s, %s)', patches(count, srid)
        )
        connection.execute(f"ANALYZE survey.{name}")


# --- PostGIS -----------------------------------------------------------------------------------------------------


def told_to(heard: list[tuple[str, float, float]]) -> Progress:
    def hear(stage: str, done: float, total: float) -> None:
        heard.append((stage, done, total))

    return hear


def test_a_table_is_copied_whole_and_read_like_any_file(cluster: Cluster, tmp_path: Path) -> None:
    filled(cluster, "dltb", 12_345)
    told: list[tuple[str, float, float]] = []
    path = fetch_table(table(cluster, "dltb"), tmp_path, told_to(told))
    read = read_table(Selector(path, shown="dltb"), LAYER)
    assert read.frame is not None
    assert read.frame.epsg == 4528
    expected = patches(12_345)
    assert shapely.to_wkb(read.shapes).tolist() == [shapely.to_wkb(shapely.from_wkt(e[3][10:])) for e in expected]
    assert list(read.columns["DLBM"]) == [e[0] for e in expected]
    assert list(read.columns["TBMJ"]) == [e[2] for e in expected]
    assert set(read.columns["gxsj"]) == {"2023-12-31 10:00:00"}
    assert list(read.columns["gid"]) == list(range(1, 12_346))
    assert told[0] == ("fetching", 0, 12_345)
    assert told[-1] == ("fetching", 12_345, 12_345)


def test_views_geographies_and_chinese_names_are_copied(cluster: Cluster, tmp_path: Path) -> None:
    cluster.run(
        'CREATE TABLE IF NOT EXISTS survey."永久 基本""农田" ("图斑.编号" text, "范围" geography(MultiPolygon))',
        'DELETE FROM survey."永久 基本""农田"',
        """INSERT INTO survey."永久 基本""农田" VALUES ('甲', 'MULTIPOLYGON(((120 30,120.01 30,120.01 30.01,120 30)))')""",
        'CREATE OR REPLACE VIEW survey."v%农田" AS SELECT * FROM survey."永久 基本""农田"',
        'GRANT SELECT ON survey."v%农田" TO reader',
    )
    asked = found(f"{cluster.address}#survey.v%25农田", [database(cluster)], [])
    assert isinstance(asked, Table)
    read = read_table(Selector(fetch_table(asked, tmp_path, unwatched)), LAYER)
    assert (read.frame and read.frame.epsg, list(read.columns["图斑.编号"])) == (4326, ["甲"])


def test_a_table_that_says_no_system_has_none(cluster: Cluster, tmp_path: Path) -> None:
    filled(cluster, "nowhere", 3, srid=0, kind="geometry")
    path = fetch_table(table(cluster, "nowhere"), tmp_path, unwatched)
    about = json.loads(pq.read_schema(path).metadata[b"geo"])
    assert about["columns"]["geom"]["crs"] is None
    assert read_table(Selector(path), LAYER).frame is None


@pytest.mark.parametrize(
    ("statements", "match"),
    [
        (["CREATE TABLE survey.t (a int)"], "a table needs one geometry column; it has: —"),
        (["CREATE TABLE survey.t (a geometry, b geometry)"], "it has: a, b"),
        (
            ["CREATE TABLE survey.t (g geometry)", "INSERT INTO survey.t VALUES ('SRID=4528;POINT(1 1)'), ('POINT(1 1)')"],
            "SRID: 0, 4,?528",
        ),
        (
            ["CREATE TABLE survey.t (g geometry)", "INSERT INTO survey.t VALUES ('SRID=4528;CIRCULARSTRING(0 0,1 1,2 0)')"],
            "the table holds arcs",
        ),
        ([], "there is no such table"),
    ],
)  # fmt: skip
def test_what_is_no_layer_is_refused(cluster: Cluster, tmp_path: Path, statements: list[str], match: str) -> None:
    cluster.run("DROP TABLE IF EXISTS survey.t", *statements)
    if statements:
        cluster.run("GRANT SELECT ON survey.t TO reader")
    with pytest.raises(InputRefused, match=match):
        fetch_table(table(cluster, "t"), tmp_path, unwatched)


def test_of_several_geometries_one_is_named(cluster: Cluster, tmp_path: Path) -> None:
    cluster.run(
        "DROP TABLE IF EXISTS survey.two",
        "CREATE TABLE survey.two (a geometry(Point, 4528), b geometry(Polygon, 4528))",
        "INSERT INTO survey.two VALUES ('SRID=4528;POINT(40500000 3400000)', 'SRID=4528;POLYGON((0 0,1 0,1 1,0 0))')",
        "GRANT SELECT ON survey.two TO reader",
    )
    asked = found(f"{cluster.address}#survey.two.b", [database(cluster)], [])
    assert isinstance(asked, Table)
    assert asked.shown == f"{cluster.address}#survey.two.b"
    assert read_table(Selector(fetch_table(asked, tmp_path, unwatched)), LAYER).kinds == {"Polygon"}


def test_what_the_database_refuses_is_told_without_the_password(cluster: Cluster, tmp_path: Path) -> None:
    filled(cluster, "secret", 1)
    cluster.run("REVOKE ALL ON survey.secret FROM reader")
    nobody = Database(
        address=f"postgresql://reader@127.0.0.1:{free_port()}/land", password=SecretStr(PASSWORD), tables=("*.*",)
    )
    wrongs = [
        (table(cluster, "secret"), "permission denied"),
        (table(cluster, "dltb", password=f"{PASSWORD}x"), "password authentication failed"),
        (Table(nobody, "survey", "dltb"), "refused"),
    ]
    for asked, match in wrongs:
        with pytest.raises(CannotFinish, match=match) as told:
            fetch_table(asked, tmp_path, unwatched)
        assert told.value.file == asked.shown
        assert PASSWORD not in told.value.say("zh") + told.value.say("en") + repr(told.value) + repr(asked)


def test_a_copy_is_stopped(cluster: Cluster, tmp_path: Path) -> None:
    filled(cluster, "long", 20_000)

    def stop(stage: str, done: float, total: float) -> None:
        if done:
            raise Cancelled

    with pytest.raises(Cancelled, match="stopped as asked"):
        fetch_table(table(cluster, "long"), tmp_path, stop)


# --- object storage ----------------------------------------------------------------------------------------------


def bucket(storage: Storage, address: str = "s3://land/layers") -> Bucket:
    return Bucket(
        address=address, endpoint=storage.endpoint, access_key=SecretStr("key"), secret_key=SecretStr(PASSWORD)
    )


def folder(storage: Storage, path: str) -> Folder:
    asked = found(f"s3://{path}", [], [bucket(storage)])
    assert isinstance(asked, Folder)
    return asked


def part(x: float) -> bytes:
    out = io.BytesIO()
    gpd.GeoDataFrame({"DLBM": ["0101"]}, geometry=[shapely.box(x, 3.4e6, x + 90, 3.4e6 + 90)], crs=4528).to_parquet(out)
    return out.getvalue()


def test_a_folder_is_copied_in_the_order_of_its_names(storage: Storage, tmp_path: Path) -> None:
    for i, name in enumerate(("b=2/part-0.parquet", "b=1/part-0.parquet", "_metadata", "b=1/.crc.parquet", "说明.txt")):
        storage.put(f"layers/dltb/{name}", part(40_500_000 + 100 * i))
    told: list[tuple[str, float, float]] = []
    brought = fetch_folder(folder(storage, "land/layers/dltb/"), tmp_path, told_to(told))
    assert [shown for _, shown in brought] == [f"s3://land/layers/dltb/b={i}/part-0.parquet" for i in (1, 2)]
    assert brought[1][0].read_bytes() == part(40_500_000)
    assert told[-1] == ("fetching", told[-1][2], told[-1][2])
    assert fetch_folder(folder(storage, "land/layers/dltb/b=2/part-0.parquet"), tmp_path, unwatched)[0][1].endswith("b=2/part-0.parquet")  # fmt: skip


def test_an_empty_folder_and_one_that_is_too_large_are_refused(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputRefused, match="s3://land/layers/none: there is no file to read here"):
        fetch_folder(folder(storage, "land/layers/none"), tmp_path, unwatched)
    storage.put("layers/big/a.parquet", part(40_500_000))
    monkeypatch.setattr(object_store, "LAYER", LAYER.__class__(1, 1, 1, 1, 1))
    with pytest.raises(TooLarge, match="more than 1 bytes"):
        fetch_folder(folder(storage, "land/layers/big"), tmp_path, unwatched)


def test_a_storage_that_refuses_is_told_without_its_keys(storage: Storage, tmp_path: Path) -> None:
    gone = Bucket(
        address="s3://gone", endpoint=storage.endpoint, access_key=SecretStr("key"), secret_key=SecretStr(PASSWORD)
    )
    away = Bucket(
        address="s3://land",
        endpoint=f"http://127.0.0.1:{free_port()}",
        access_key=SecretStr("key"),
        secret_key=SecretStr(PASSWORD),
    )
    for where in (gone, away):
        asked = Folder(where, where.path)
        with pytest.raises(GeoplanError, match="s3://") as told:
            fetch_folder(asked, tmp_path, unwatched)
        assert PASSWORD not in told.value.say("zh") + told.value.say("en") + repr(asked)
        assert list(tmp_path.iterdir()) == []


# --- what is allowed ---------------------------------------------------------------------------------------------

LAND = Database(address="postgresql://reader@db.office.cn/land", password=SecretStr("s3cret"), tables=("survey.dl*",))
LAYERS = Bucket(address="s3://land/layers", secret_key=SecretStr("s3cret"), access_key=SecretStr("key"))


@pytest.mark.parametrize(
    "given",
    [
        "postgresql://db.office.cn/other#survey.dltb",
        "postgresql://db.office.cn:5433/land#survey.dltb",
        "postgresql://127.0.0.1/land#survey.dltb",
        "postgresql://db.office.cn/land#survey.towns",
        "postgresql://db.office.cn/land#public.dltb",
        "s3://land",
        "s3://land/layers-of-others",
        "s3://land/layers/../secret",
        "s3://other/layers",
    ],
)
def test_what_is_not_listed_is_refused_and_what_is_listed_is_not_told(given: str) -> None:
    with pytest.raises(CallRefused, match="the operator does not allow imports") as told:
        found(given, [LAND], [LAYERS])
    assert "dl*" not in told.value.say("en")


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ("postgresql://me:pw@db.office.cn/land#survey.dltb", "must carry no password"),
        ("s3://key:pw@land/layers", "must carry no password"),
        ("postgresql://db.office.cn/land?password=pw#survey.dltb", "must carry no password"),
        ("postgresql://db.office.cn/land", "a table is written"),
        ("postgresql://db.office.cn/land#dltb", "a table is written"),
        ("postgresql://db.office.cn:x/land#survey.dltb", "a table is written"),
        ("https://elsewhere.cn/a.gpkg", "cannot be read from https://elsewhere.cn/a.gpkg"),
        ("file:///etc/passwd", "cannot be read from file:///etc/passwd"),
    ],
)
def test_what_is_no_such_place_is_refused(given: str, match: str) -> None:
    with pytest.raises(CallRefused, match=match) as told:
        found(given, [LAND], [LAYERS])
    assert "pw" not in told.value.say("en").replace("password", "").replace("passwd", "")


def test_the_operators_settings_name_the_places_and_keep_their_secrets(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[[databases]]\naddress = "postgresql://reader@DB.office.cn:5432/land"\npassword = "s3cret"\n'
        'tables = ["survey.*"]\n[[buckets]]\naddress = "s3://land/layers"\naccess_key = "k3y"\nsecret_key = "s3cret"\n'
    )
    settings = read_settings(home=tmp_path)
    asked = found("postgresql://db.office.cn/land#survey.dltb", settings.databases, settings.buckets)
    assert asked.shown == "postgresql://db.office.cn:5432/land#survey.dltb"
    assert "s3cret" not in repr(settings) + repr(asked)
    again = read_settings(**settings.plain())
    assert again == settings
    assert again.databases[0].password
    assert again.databases[0].password.get_secret_value() == "s3cret"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[[databases]]\naddress = "postgresql://a:b@h/d"\ntables = ["a.b"]', "databases.0.address"),
        ('[[databases]]\naddress = "postgresql://h/d"\ntables = []', "databases.0.tables"),
        ('[[buckets]]\naddress = "http://h/d"', "buckets.0.address"),
        ('[[buckets]]\naddress = "s3://a"\nendpoint = "http://k:s@h"', "buckets.0.endpoint"),
    ],
)
def test_settings_that_are_wrong_are_refused(tmp_path: Path, text: str, where: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(CallRefused, match=where.replace(".", r"\.")):
        read_settings(home=tmp_path)
