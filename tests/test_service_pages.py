"""Pages and data by what is asked for, languages, headers of safety, and requests that other sites set off."""

from __future__ import annotations

import re

import pytest

from serving import (  # noqa: F401 - the fixtures are used by name
    BROWSER,
    Running,
    asked,
    fixture_farmland,
    fixture_made,
    fixture_planning,
    fixture_service,
    fixture_the_service,
)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (BROWSER["Accept"], "text/html; charset=utf-8"),
        ("text/html;q=0.4, application/json;q=0.5", "application/json"),
        ("text/html;q=0.5, application/*;q=0.4", "text/html; charset=utf-8"),
        ("text/html;q=0, */*", "application/json"),
        ("text/html, application/json", "application/json"),
    ],
)
def test_accept_decides_between_page_and_data(service: Running, made: str, accept: str | None, kind: str) -> None:
    headers = {"Accept": accept} if accept is not None else {"Accept": ""}
    for path in (made, "/policies", "/policies/land-law"):
        got = service.client.get(path, headers=headers)
        assert (got.status_code, got.headers["content-type"]) == (200, kind)
        assert "Accept" in got.headers["vary"]


def test_what_is_neither_is_not_acceptable(service: Running, made: str) -> None:
    for path in (
        made,
        "/policies",
        "/",
        "/layers",
        f"{made}/map",
        f"{made}/report.json",
        f"{made}/overlaps.gpkg",
        "/docs",
    ):
        got = service.client.get(path, headers={"Accept": "image/png"})
        assert (got.status_code, got.json()["code"]) == (406, "not-acceptable")


def test_a_browser_is_sent_to_the_page_and_a_refused_upload_shows_the_form_again(
    service: Running, planning: bytes
) -> None:
    sent = service.ask(asked(planning), headers=BROWSER)
    assert sent.status_code == 303
    assert re.fullmatch(r"/checks/\w+\?lang=en", sent.headers["location"])
    page = service.client.get(sent.headers["location"], headers=BROWSER)
    assert page.status_code == 200
    assert page.headers["content-language"] == "en"
    refused = service.ask([("planning", ("<b>.docx", b"x"))], headers=BROWSER)
    assert (refused.status_code, refused.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert "is not read" in refused.text
    assert "<b>.docx" not in refused.text
    assert service.client.get("/checks/none", headers=BROWSER).status_code == 404


def test_the_language_is_asked_for_by_form_address_or_header(service: Running, planning: bytes) -> None:
    def language(path: str, header: str = "") -> str:
        return str(service.client.get(path, headers={"Accept-Language": header}).headers["content-language"])

    assert language("/nothing") == "zh"
    assert language("/nothing?lang=en") == "en"
    assert language("/nothing?lang=fr", "en-GB,en;q=0.9,zh;q=0.8") == "en"
    assert language("/nothing", "fr, zh-CN;q=0.8, en;q=0.3") == "zh"
    assert language("/nothing?lang=zh", "en") == "zh"
    refused = service.client.post("/checks", files=[("planning", ("a.txt", b"x"))], data={"lang": "en"})
    assert refused.json()["detail"] == refused.json()["en"]


PATHS = (
    "/",
    "/policies",
    "/policies/land-law",
    "/layers",
    "/healthz",
    "/docs",
    "/openapi.json",
    "/nothing",
    "/static/geoplan/map.css",
)


def test_every_answer_carries_the_headers_of_safety_and_no_cookie(service: Running, made: str) -> None:
    for path in (*PATHS, made, f"{made}/map", f"{made}/map.html", f"{made}/overlaps.gpkg"):
        got = service.client.get(path, headers=BROWSER)
        assert got.headers["x-content-type-options"] == "nosniff", path
        assert got.headers["x-frame-options"] == "SAMEORIGIN", path
        assert got.headers["referrer-policy"] == "same-origin", path
        assert "geolocation=()" in got.headers["permissions-policy"], path
        policy = got.headers["content-security-policy"]
        assert policy == "sandbox" or (
            policy.startswith("default-src 'none'") and "frame-ancestors 'self'" in policy
        ), path
        assert "unsafe" not in policy, path
        assert "set-cookie" not in got.headers, path


def test_every_page_has_a_nonce_of_its_own_on_each_script(service: Running, made: str) -> None:
    for path in ("/", made, f"{made}/map", "/docs", "/policies", "/policies/land-law"):
        seen = set()
        for _ in range(2):
            page = service.client.get(path, headers=BROWSER)
            nonce = re.search(r"script-src 'self' 'nonce-([^']+)'", page.headers["content-security-policy"])
            assert nonce is not None, path
            seen.add(nonce[1])
            for tag in re.findall(r"<script[^>]*>", page.text):
                assert f'nonce="{nonce[1]}"' in tag or re.search(r'src="/static/', tag), (path, tag)
            assert not re.search(r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["'](?:https?:)?//""", page.text), (
                path
            )
            assert not re.search(r"<[^>]+\son\w+=", page.text), path
        assert len(seen) == 2


def test_the_map_file_is_an_attachment_that_asks_nothing_of_the_network(service: Running, made: str) -> None:
    got = service.client.get(f"{made}/map.html")
    assert got.headers["content-disposition"] == 'attachment; filename="map.html"'
    assert not re.search(r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["'](?!data:|#)""", got.text)


def test_static_files_with_a_version_are_kept_for_good(service: Running) -> None:
    kept = service.client.get("/static/vendor/leaflet-1.9.4/leaflet.js")
    assert (kept.status_code, kept.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert kept.headers["content-type"].split(";")[0] in ("text/javascript", "application/javascript")
    assert service.client.get("/static/geoplan/map.css").headers["cache-control"] == "no-cache"
    assert "immutable" in service.client.get("/static/geoplan/map.css?v=1").headers["cache-control"]
    for path in (
        "/static/nothing",
        "/static/../assets.py",
        "/static/%2e%2e/assets.py",
        "/static/..%2fassets.py",
        "/static/a%00b",
    ):
        got = service.client.get(path)
        assert (got.status_code, got.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "[::2]", "", "192.168.1.1"]
)
def test_another_host_name_is_not_answered_to(service: Running, host: str) -> None:
    got = service.client.get("/policies", headers={"Host": host})
    assert (got.status_code, got.json()["code"]) == (421, "foreign-host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "[::1]:8000", "127.0.0.1"])
def test_the_names_of_the_loopback_are_answered_to(service: Running, host: str) -> None:
    assert service.client.get("/policies", headers={"Host": host}).status_code == 200


def test_a_page_of_another_site_cannot_post(service: Running, planning: bytes) -> None:
    own = f"http://127.0.0.1:{service.port}"
    foreign = [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{service.port + 1}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": own},
    ]
    for headers in foreign:
        got = service.ask(asked(planning), headers=headers)
        assert (got.status_code, got.json()["code"]) == (403, "foreign-origin")
    for headers in ({"Origin": own}, {"Origin": own, "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}):
        assert service.ask(asked(planning), headers=headers).status_code == 201


def test_methods_and_addresses_that_are_not_there(service: Running, made: str) -> None:
    gone = service.client.delete(made)
    assert (gone.status_code, gone.json()["code"], gone.headers["allow"]) == (405, "method-wrong", "GET")
    for path in (
        "/nothing",
        "/checks/",
        "/checks/none",
        "/checks/none/map",
        "/policies/none",
        "/checks/..%2f..",
        f"{made}/x",
    ):
        got = service.client.get(path, follow_redirects=True)
        assert got.status_code in (404, 405), path
        assert got.headers["content-type"] == "application/problem+json", path
    head = service.client.head("/policies")
    assert (head.status_code, head.content, int(head.headers["content-length"]) > 100) == (200, b"", True)
