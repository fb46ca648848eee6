"""Home, objects, database and settings: nothing half written, nothing damaged is read, one schema by migrations."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import StatementError

from geoplan.errors import CallRefused, CannotFinish, NotFound
from geoplan_api import store as store_module
from geoplan_api.home import Home
from geoplan_api.objects import Objects
from geoplan_api.settings import cores, read_settings
from geoplan_api.store import Base, Store, StoredCheck, new_id

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    home.close()


def stored(**given: object) -> StoredCheck:
    whole = {
        "id": new_id(), "report_id": "sha256:" + "0" * 64, "report_sha256": "1" * 64, "overlaps_sha256": "2" * 64,
        "name": "丝创小镇", "verdict": "pass", "made_at": datetime.now(UTC), "lang": "zh", "request": {"inputs": []},
    }  # fmt: skip
    return StoredCheck(**{**whole, **given})


# --- objects -----------------------------------------------------------------------------------------------------


def test_an_object_is_named_by_its_content_and_comes_back(home: Home) -> None:
    objects = Objects(home)
    assert objects.put(b"") == EMPTY == objects.put(b"")
    assert objects.path(EMPTY) == home.objects / "e3" / EMPTY
    assert objects.read(objects.put("边界".encode())) == "边界".encode()
    assert list(home.tmp.iterdir()) == []


def test_a_file_moves_among_the_objects_and_is_read_under_a_name(home: Home) -> None:
    objects = Objects(home)
    with home.workspace() as folder:
        (folder / "a").write_bytes(b"content")
        name = objects.take(folder / "a")
        assert not (folder / "a").exists()
    with objects.named(name, "overlaps.gpkg") as path:
        assert path.name == "overlaps.gpkg"
        assert path.read_bytes() == b"content"
    assert list(home.tmp.iterdir()) == []


def test_a_damaged_object_is_never_handed_out_and_is_healed_by_the_same_content(home: Home) -> None:
    objects = Objects(home)
    name = objects.put(b"report")
    objects.path(name).write_bytes(b"retort")
    with pytest.raises(CannotFinish, match=f"{name} is damaged"):
        objects.read(name)
    with pytest.raises(CannotFinish, match="is damaged"):
        objects.path(name)
    objects.put(b"report")
    assert objects.read(name) == b"report"


@pytest.mark.parametrize("name", ["0" * 64, "../../etc/passwd", "", "E3" + EMPTY[2:], EMPTY + "/.."])
def test_what_is_not_there_or_no_hash_is_not_found(home: Home, name: str) -> None:
    with pytest.raises(NotFound, match="the store holds no"):
        Objects(home).read(name)
    with pytest.raises(NotFound, match="the store holds no"):
        Objects(home).path(name)


KILLED = """
import os, sys
from pathlib import Path
from geoplan_api.home import Home
from geoplan_api.objects import Objects
home = Home(Path(sys.argv[1]))
def killed(*_): os._exit(9)
setattr(*{"before-rename": (Path, "replace"), "while-writing": (os, "fsync")}[sys.argv[2]], killed)
Objects(home).put(b"x" * 100_000)
"""


@pytest.mark.parametrize("moment", ["before-rename", "while-writing"])
def test_a_process_killed_while_it_stores_leaves_nothing_once_another_starts(tmp_path: Path, moment: str) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), moment], check=False)
    assert ended.returncode == 9
    assert [p for p in (tmp_path / "tmp").rglob("*") if p.is_file()], "the kill came too early to show anything"
    home = Home(tmp_path)
    assert list(home.tmp.iterdir()) == []
    assert [p for p in home.objects.rglob("*") if p.is_file()] == []
    home.close()


def test_what_a_living_process_builds_is_not_swept_by_another(home: Home) -> None:
    with home.workspace() as folder:
        (folder / "upload").write_bytes(b"x")
        second = Home(home.root)
        assert (folder / "upload").exists()
        second.close()


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CannotFinish, match="cannot write to the home folder .*GEOPLAN_HOME"):
        Home(tmp_path / "file" / "home")


# --- database ----------------------------------------------------------------------------------------------------


def test_migrations_from_empty_give_what_the_models_say_and_running_again_changes_nothing(home: Home) -> None:
    for _ in range(2):
        Store(home.database).close()
    engine = sa.create_engine(f"sqlite:///{home.database}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == "0003"
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
    engine.dispose()


def test_a_check_of_an_older_release_keeps_its_row_and_its_application_is_not_known(home: Home) -> None:
    Store(home.database).close()
    engine = sa.create_engine(f"sqlite:///{home.database}")
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE checks DROP COLUMN application"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0002'"))
        connection.execute(
            sa.text(
                "INSERT INTO checks (id, report_id, report_sha256, overlaps_sha256, verdict, made_at, lang, request)"
                " VALUES ('old', 'sha256:0', '1', '2', 'pass', '2026-11-01 00:00:00', 'zh', '{}')"
            )
        )
    engine.dispose()
    store = Store(home.database)
    assert (store.get("old").verdict, store.get("old").application) == ("pass", None)
    store.add(stored(id="new", application="broken"))
    assert store.get("new").application == "broken"
    store.close()


def test_connections_wait_for_writers_and_hold_foreign_keys(home: Home) -> None:
    store = Store(home.database)
    with store._engine.connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("foreign_keys", "busy_timeout")
        }
    assert values == {"foreign_keys": 1, "busy_timeout": store_module._BUSY_MS}
    store.close()


def test_processes_that_start_at_once_migrate_once(home: Home) -> None:
    together = Barrier(6)

    def start() -> Store:
        together.wait()
        return Store(home.database)

    with ThreadPoolExecutor(6) as threads:
        stores = [future.result() for future in [threads.submit(start) for _ in range(6)]]
    for store in stores:
        assert store.is_writable()
        store.close()


def test_a_database_of_a_newer_release_is_refused_and_left_as_it_is(home: Home) -> None:
    Store(home.database).close()
    engine = sa.create_engine(f"sqlite:///{home.database}")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CannotFinish, match="made by a newer release"):
        Store(home.database)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == "9999"
    engine.dispose()


def test_what_is_no_database_is_told(home: Home) -> None:
    home.database.write_bytes(b"no database" * 1000)
    with pytest.raises(CannotFinish, match="the database cannot be used"):
        Store(home.database)


def test_a_database_locked_for_too_long_is_told_and_nothing_changes(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_BUSY_MS", 50)
    store = Store(home.database)
    with sa.create_engine(f"sqlite:///{home.database}").connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        assert not store.is_writable()
        with pytest.raises(CannotFinish, match=r"database is locked.*Nothing was changed"):
            store.add(stored())
        other.rollback()
        other.engine.dispose()
    assert store.recent(5) == []
    store.close()


def test_checks_come_back_with_their_instants_in_utc_newest_first(home: Home) -> None:
    store = Store(home.database)
    noon = datetime(2026, 11, 21, 12, tzinfo=timezone(timedelta(hours=8)))
    old, new = stored(made_at=noon, request={"texts": {"name": ["丝"]}}), stored(made_at=noon + timedelta(seconds=1))
    old_id, new_id_ = old.id, new.id
    store.add(new)
    store.add(old)
    found = store.get(old_id)
    assert found.made_at == datetime(2026, 11, 21, 4, tzinfo=UTC)
    assert found.made_at.tzinfo is UTC
    assert found.request == {"texts": {"name": ["丝"]}}
    assert [each.id for each in store.recent(5)] == [new_id_, old_id]
    assert len(store.recent(1)) == 1
    with pytest.raises(NotFound, match="there is no check nope"):
        store.get("nope")
    with pytest.raises(StatementError, match="an instant needs its zone"):
        store.add(stored(made_at=datetime(2026, 11, 21)))
    store.close()


def test_many_threads_write_at_once(home: Home) -> None:
    store = Store(home.database)
    with ThreadPoolExecutor(8) as threads:
        for future in [threads.submit(store.add, stored()) for _ in range(40)]:
            future.result()
    assert len(store.recent(100)) == 40
    store.close()


def test_ids_are_short_and_fit_for_an_address() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(each) == 14 and each.isalnum() and each.islower() | each.isdecimal() for each in ids)


# --- settings ----------------------------------------------------------------------------------------------------


def test_environment_goes_over_the_file_and_the_file_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("GEOPLAN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GEOPLAN_HOME", str(tmp_path))
    assert read_settings().workers == cores()
    (tmp_path / "config.toml").write_text('queue_length = 3\nlang = "en"\nworkers = 2\n')
    monkeypatch.setenv("GEOPLAN_LANG", "zh")
    settings = read_settings(workers=1)
    assert (settings.home, settings.queue_length, settings.lang, settings.workers) == (tmp_path, 3, "zh", 1)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "config.toml").write_text("queue_length = 7\n")
    assert read_settings(home=elsewhere).queue_length == 7


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("queue_lenght = 3", r"queue_lenght: the setting is wrong: Extra inputs.*There are: .*queue_length"),
        ("queue_length = -1", r"queue_length: the setting is wrong"),
        ('lang = "fr"', r"lang: the setting is wrong"),
        ("queue_length = ", r"config.toml: not valid TOML"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(CallRefused, match=says):
        read_settings(home=tmp_path)
