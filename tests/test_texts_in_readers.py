"""Facts, policies and towns as CSV are parsed by reader processes: bombs end there, and each is one refusal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geoplan.errors import GeoplanError, InputRefused, PolicyRefused, TooLarge
from geoplan_api.office import read_policy
from geoplan_layers.facts_file import read_facts
from geoplan_layers.files.limits import BOUNDARY, Limits
from geoplan_layers.files.table import Table
from geoplan_layers.files.toml_text import MOST_BYTES
from geoplan_layers.files.towns_table import towns_table
from geoplan_layers.parameters_file import read_parameters
from geoplan_layers.sandbox.rules import Rules
from geoplan_layers.sandbox.session import reading
from geoplan_layers.sandbox.workers import Pool
from geoplan_layers.selector import Selector
from geoplan_layers.towns_file import read_register
from serving import (  # noqa: F401 - the fixtures are used by name
    Running,
    asked,
    fixture_planning,
    fixture_service,
    fixture_the_service,
)
from test_once import told

NESTED = "a = " + "[" * 100_000
DOTTED = "a" + ".a" * 200_000 + " = 1\n"
DIGITS = "[investment]\ntotal = " + "9" * 5_000
HEXADECIMAL = "[investment]\ntotal = 0x" + "f" * 100_000
LARGE = "[investment]\ntotal = " + "9" * 400
BOMBS = {
    "nested": (NESTED, "nested too deep"),
    "digits": (DIGITS, "Exceeds the limit"),
    "hexadecimal": (HEXADECIMAL, "Exceeds the limit"),
    "beyond any float": (LARGE, "out of range"),
}


@pytest.fixture(name="pool", scope="module")
def fixture_pool() -> Iterator[Pool]:
    pool = Pool(Rules(seconds=6.0))
    yield pool
    pool.close()


def written(folder: Path, text: str, name: str = "facts.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_facts_file_made_to_do_harm_is_refused_with_its_name(pool: Pool, tmp_path: Path, bomb: str) -> None:
    text, says = BOMBS[bomb]
    with reading(pool), pytest.raises(InputRefused, match=rf"^facts\.toml: .*{says}"):
        read_facts(written(tmp_path, text))


def test_dotted_keys_without_end_are_ended_by_the_deadline_or_refused(pool: Pool, tmp_path: Path) -> None:
    with reading(pool), pytest.raises(GeoplanError, match=r"^facts\.toml: ") as caught:
        read_facts(written(tmp_path, DOTTED))
    assert caught.value.id in ("reader-timeout", "facts-not-toml")


def test_what_is_longer_than_any_such_file_is_not_parsed(pool: Pool, tmp_path: Path) -> None:
    with (
        reading(pool),
        pytest.raises(TooLarge, match=r"^facts\.toml: the file has 500001 bytes; a text file of this kind has 500000"),
    ):
        read_facts(written(tmp_path, "#" * (MOST_BYTES + 1)))


def test_a_policy_made_to_do_harm_is_refused_as_a_policy(pool: Pool, tmp_path: Path) -> None:
    with reading(pool), pytest.raises(PolicyRefused, match=r"^office\.toml: not a TOML file \(nested too deep\)"):
        read_policy(written(tmp_path, NESTED, "office.toml"))


def test_a_thousand_faults_of_a_policy_are_told_by_the_first_fifty(pool: Pool, tmp_path: Path) -> None:
    text = "".join(f"key{i} = 1\n" for i in range(1_000))
    with reading(pool), pytest.raises(PolicyRefused, match=r"^office\.toml: ") as caught:
        read_policy(written(tmp_path, text, "office.toml"))
    assert len(caught.value.others) == 49


def test_parameters_nested_without_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"^mine\.toml: the file of datum parameters is not TOML"):
        read_parameters(written(tmp_path, "a = " + "[" * 15_000, "mine.toml"))


def test_towns_as_csv_are_bounded_in_rows(tmp_path: Path) -> None:
    rows = "".join("120.1,30.9,镇\n" for _ in range(20))
    csv = written(tmp_path, "lon,lat,name\n" + rows, "towns.csv")
    assert len(read_register(Selector(csv)).towns) == 20
    few = Limits(BOUNDARY.file_bytes, BOUNDARY.unpacked_bytes, 1, features=10, vertices=10)
    with pytest.raises(TooLarge, match=r"^towns\.csv: .*11.*10"):
        read_register(Selector(csv), limits=few)


def test_the_service_reads_texts_in_readers_alone(
    service: Running, planning: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[tuple[str, str]] = []
    run = Pool.run

    def watched(self: Pool, job: Any, *rest: Any) -> Any:
        jobs.append((job["do"], job["shown"]))
        return run(self, job, *rest)

    monkeypatch.setattr(Pool, "run", watched)
    monkeypatch.setattr("tomllib.loads", lambda _: pytest.fail("TOML of a user is parsed by the service itself"))
    towns = "lon,lat,name,stage\n120.1,30.9,某镇,create\n".encode()
    files = [("facts", ("facts.toml", b'name = "a"\n')), ("towns", ("towns.csv", towns))]
    answered = service.ask([*asked(planning), *files])
    assert answered.status_code == 201, answered.text
    assert {("toml", "facts.toml"), ("towns", "towns.csv")} <= set(jobs)


@pytest.mark.parametrize(("field", "name"), [("facts", "facts.toml"), ("policy", "office.toml")])
def test_a_bomb_over_http_is_a_refusal_and_the_service_goes_on(
    service: Running, planning: bytes, field: str, name: str
) -> None:
    answered = service.ask([*asked(planning), (field, (name, NESTED.encode()))])
    assert (answered.status_code, answered.json()["file"]) == (422, name)
    assert service.ask(asked(planning)).status_code == 201


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_on_the_command_line_is_one_line(tmp_path: Path, bomb: str) -> None:
    facts = written(tmp_path, BOMBS[bomb][0])
    town = Path(__file__).parent.parent / "data/boundaries/huzhou-silk-planning.zip"
    status, stdout, stderr = told("check", "--planning", str(town), "--facts", str(facts), "--lang", "en")
    assert (status, stdout) == (2, "")
    assert stderr.startswith("facts.toml: ")
    assert len(stderr.splitlines()) == 1


CELLS = st.one_of(
    st.sampled_from(["lon", "lat", "120.1", "30.9", "NaN", "1e999", "", '"', "stage", "创建", "-181", "9" * 40]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=8), st.sampled_from(["utf-8", "gb18030", "utf-16"]))
def test_any_csv_of_towns_is_a_table_or_a_refusal_of_the_file(
    tmp_path: Path, rows: list[list[str]], encoding: str
) -> None:
    path = tmp_path / "towns.csv"
    path.write_bytes("\n".join(",".join(row) for row in rows).encode(encoding))
    table: Table | None = None
    refused: InputRefused | None = None
    try:
        table = towns_table(path, "towns.csv", BOUNDARY)
    except InputRefused as told_of_it:
        refused = told_of_it
    if refused is not None:
        assert refused.file == "towns.csv"
        assert refused.say("zh") != refused.say("en")
    else:
        assert table is not None
        assert len(table) <= sum(map(len, rows))
        assert all(-180 <= each.x <= 180 and -90 <= each.y <= 90 for each in table.shapes)
