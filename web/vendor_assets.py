"""Make ``geoplan_web/static/vendor`` from pinned npm tarballs: the maintainers' script, not in the package.

geoplan runs in closed networks, and folium's pages name content networks. This script takes the few files
that our pages need out of the packages on npm (``npm pack``: no install, no script of a package is run), with
their licences, and writes ``manifest.json``, by which `geoplan_web.assets` rewrites a page.

    python web/vendor_assets.py            make the folder again
    python web/vendor_assets.py --check    say whether the folder is what this script would make

To ship another plug-in, add a `Package` to `PACKAGES`: its version, its integrity (``npm view NAME@VERSION
dist.integrity``), the files, and for each address that folium writes its end (see `Package.urls`). To leave
something out on purpose, add a `Dropped` to `DROPPED`. Then run the script and the tests.
"""

from __future__ import annotations

import argparse
import base64
import filecmp
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).parent / "geoplan_web" / "static" / "vendor"
SCHEMA = "geoplan/vendor/1"
LICENCE_FILES = ("LICEN*", "MIT-LICEN*", "NOTICE*")
"""Names, at the top of a package, of the texts that its licence asks us to pass on."""
GIT_ATTRIBUTES = "# manifest.json holds the hashes of these bytes: git must not touch line ends.\n* -text\n"


@dataclass(frozen=True)
class Patch:
    """One change to a vendored file: ``old`` stands in it exactly once and becomes ``new``."""

    file: str
    old: str
    new: str
    why: str


@dataclass(frozen=True)
class Package:
    """What we take from one npm package.

    Parameters
    ----------
    integrity
        The tarball's sha512 as npm writes it; the registry's own statement must be the same.
    license
        SPDX identifier. Where the package's own ``license`` field says something else, `license_note` says
        how we know.
    root
        Folder inside the package that is left out of our paths.
    files
        Names or globs below `root`.
    urls
        End of an address, whole path segments -> one of `files`. ``leaflet.js`` stands for
        ``…/dist/leaflet.js``, never for ``…/my-leaflet.js``.
    """

    name: str
    version: str
    integrity: str
    license: str
    files: tuple[str, ...]
    urls: dict[str, str]
    root: str = ""
    license_note: str = ""
    patches: tuple[Patch, ...] = ()

    @property
    def spec(self) -> str:
        """What npm calls it."""
        return f"{self.name}@{self.version}"

    @property
    def folder(self) -> str:
        """Where its files go, below the vendor folder."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}"


@dataclass(frozen=True)
class Dropped:
    """An address that folium writes on every page and that our pages can do without.

    Parameters
    ----------
    needed_by
        Code that cannot run without it. A page whose own script holds this, outside quotes, is refused: an
        error while the page is made is better than a map that stops half-way in the browser.
    """

    urls: tuple[str, ...]
    reason: str
    needed_by: tuple[str, ...] = ()


PACKAGES = (
    Package(
        "leaflet",
        "1.9.4",
        "sha512-nxS1ynzJOmOlHp+iL3FyWqK89GtNL8U8rvlMOsQdTTssxZwCXh8N2NB3GDQOL+YR3XnWyZAxwQixURb+FA74PA==",
        "BSD-2-Clause",
        root="dist",
        files=("leaflet.js", "leaflet.css", "images/*.png"),
        urls={"leaflet.js": "leaflet.js", "leaflet.css": "leaflet.css"},
    ),
    Package(
        "leaflet.fullscreen",
        "3.0.0",
        "sha512-81wWSUXz1ZtdneR0v5eJDWXUSx+Zo5J50WXWeydG/UcILfIEAgz/iOjZSi3p00Z9MJ/FC/P5i3CgdYuEAos0yQ==",
        "MIT",
        license_note="the field says 'MIT License'; LICENSE is the MIT text",
        files=("Control.FullScreen.js", "Control.FullScreen.css", "icon-fullscreen.svg"),
        urls={
            "Control.FullScreen.min.js": "Control.FullScreen.js",
            "Control.FullScreen.css": "Control.FullScreen.css",
        },
    ),
    Package(
        "leaflet-groupedlayercontrol",
        "0.6.1",
        "sha512-xkGeH6ygcryFQI0FUWn6Bz93zlwrOSpeXgJQ3jLRoUQJ5h/Qgrz+GqR9nhBFfikjUKtC1sCKL3eDR9wNTWhLlA==",
        "MIT",
        root="dist",
        files=("leaflet.groupedlayercontrol.min.js", "leaflet.groupedlayercontrol.min.css"),
        urls={
            "leaflet.groupedlayercontrol.min.js": "leaflet.groupedlayercontrol.min.js",
            "leaflet.groupedlayercontrol.min.css": "leaflet.groupedlayercontrol.min.css",
        },
    ),
    Package(
        "leaflet.pattern",
        "0.1.0",
        "sha512-E4sxvvK0XHi1EhE1yUTG1bzafXZoXUPqWPjHz5fSpv/pOcT4CtS0qR1lhFSRtSUYios8OwlZmUGB9n91zQEgcw==",
        "BSD-2-Clause",
        license_note="the field is empty; LICENCE.txt is the two-clause BSD text, 2015, Tyler Eastman",
        root="dist",
        files=("leaflet.pattern.js",),
        urls={"leaflet.pattern.js": "leaflet.pattern.js"},
        patches=(
            Patch(
                "leaflet.pattern.js",
                "includes:[L.Mixin.Events]",
                "includes:L.Evented.prototype",
                "Leaflet 1.x warns of L.Mixin.Events on every page's console and Leaflet 2 has none",
            ),
        ),
    ),
    Package(
        "leaflet-mouse-position",
        "1.2.0",
        "sha512-iKS25GZDRdoKZn0O5sjTyNcBYrq/wenLiOidj4jJ5iD4SfhyqVj+bJHgBwuMxOlf8Vc/9B1ZPlqYV4QA97nyFg==",
        "MIT",
        root="src",
        files=("L.Control.MousePosition.js", "L.Control.MousePosition.css"),
        urls={
            "L.Control.MousePosition.min.js": "L.Control.MousePosition.js",
            "L.Control.MousePosition.min.css": "L.Control.MousePosition.css",
        },
    ),
    Package(
        "htmx.org",
        "2.0.11",
        "sha512-Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA==",
        "0BSD",
        root="dist",
        files=("htmx.min.js",),
        urls={"htmx.min.js": "htmx.min.js"},
    ),
    Package(
        "swagger-ui-dist",
        "5.35.0",
        "sha512-U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==",
        "Apache-2.0",
        files=("swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.css"),
        urls={"swagger-ui-bundle.js": "swagger-ui-bundle.js", "swagger-ui.css": "swagger-ui.css"},
    ),
)

DROPPED = (
    Dropped(
        ("jquery-3.7.1.min.js", "jquery/3.7.1/jquery.min.js"),
        "about 85 kB that only folium.Popup, Map.keep_in_front and the time sliders call",
        needed_by=("$(",),
    ),
    Dropped(
        ("js/bootstrap.bundle.min.js", "css/bootstrap.min.css"),
        "about 270 kB that no control of ours uses; its style sheet also restyles every table and link",
    ),
    Dropped(
        ("leaflet.awesome-markers.js", "leaflet.awesome-markers.css"),
        "only folium.Icon uses it: our points are circles or Leaflet's own marker",
        needed_by=("L.AwesomeMarkers",),
    ),
    Dropped(
        ("css/all.min.css",),
        "Font Awesome: about 380 kB, mostly fonts, for the icons of folium.Icon",
    ),
    Dropped(("css/bootstrap-glyphicons.css",), "icons of Bootstrap 3, for folium.Icon(prefix='glyphicon')"),
    Dropped(("leaflet.awesome.rotate.min.css",), "only for folium.Icon(angle=…)"),
)


@dataclass
class Manifest:
    """What ``manifest.json`` will say; see `geoplan_web.assets` for how it is read."""

    packages: dict[str, dict[str, Any]] = field(default_factory=dict)
    urls: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add_url(self, suffix: str, row: dict[str, Any]) -> None:
        """Note where an address leads; two answers to one address are a mistake in the tables."""
        if suffix in self.urls:
            raise SystemExit(f"vendor_assets: two rows answer to {suffix}")
        self.urls[suffix] = row

    def write(self, path: Path) -> None:
        """Write it sorted, so that the same tables always give the same bytes."""
        said = {"schema": SCHEMA, "packages": self.packages, "urls": self.urls, "files": self.files}
        text = json.dumps(said, indent=1, sort_keys=True, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")


def npm(*args: str) -> str:
    """Run npm and give its answer; its own words are the error."""
    done = subprocess.run(["npm", *args], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"vendor_assets: npm {' '.join(args)}\n{done.stderr}")
    return done.stdout.strip()


def hold_to_pin(package: Package, who: str, integrity: str) -> None:
    """Stop unless an integrity is the one pinned in `PACKAGES`."""
    if integrity != package.integrity:
        raise SystemExit(f"vendor_assets: {package.spec}: {who} {integrity}, we pinned {package.integrity}")


def fetch(package: Package, into: Path) -> Path:
    """Download a package's tarball and hold it to the pinned and to the registry's integrity."""
    hold_to_pin(package, "the registry says", npm("view", package.spec, "dist.integrity"))
    into.mkdir()
    npm("pack", package.spec, "--ignore-scripts", "--pack-destination", str(into))
    (tarball,) = into.glob("*.tgz")
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    hold_to_pin(package, "the tarball is", f"sha512-{digest}")
    return tarball


def members(tarball: Path) -> dict[str, bytes]:
    """Every plain file of an npm tarball by its path in the package; nothing is unpacked to disk."""
    found = {}
    with tarfile.open(tarball) as tar:
        for member in tar:
            held = tar.extractfile(member) if member.isfile() else None
            if held is not None:
                found[member.name.partition("/")[2]] = held.read()
    return found


def check_license(package: Package, contents: dict[str, bytes]) -> None:
    """The package must say of itself the licence that the table says, or the table must say why not."""
    stated = json.loads(contents["package.json"]).get("license")
    if stated != package.license and not package.license_note:
        raise SystemExit(f"vendor_assets: {package.spec}: its licence field says {stated}")


def chosen(package: Package, contents: dict[str, bytes]) -> dict[str, bytes]:
    """The package's files to ship, by their path below its own folder, patched."""
    prefix = f"{package.root}/" if package.root else ""
    taken: dict[str, bytes] = {}
    for pattern in package.files:
        hits = {n.removeprefix(prefix): b for n, b in contents.items() if fnmatchcase(n, prefix + pattern)}
        if not hits:
            raise SystemExit(f"vendor_assets: {package.spec} holds no {prefix}{pattern}")
        taken |= hits
    for patch in package.patches:
        text = taken[patch.file].decode()
        if text.count(patch.old) != 1:
            raise SystemExit(f"vendor_assets: {package.spec}: {patch.file} does not hold {patch.old!r} once")
        taken[patch.file] = text.replace(patch.old, patch.new).encode()
    licences = {n: b for n, b in contents.items() if "/" not in n and any(fnmatchcase(n, p) for p in LICENCE_FILES)}
    if not licences:
        raise SystemExit(f"vendor_assets: {package.spec} holds no licence text")
    return taken | licences


def ship(package: Package, files: dict[str, bytes], folder: Path, manifest: Manifest) -> None:
    """Write a package's files and their rows of the manifest."""
    patched: dict[str, list[str]] = {}
    for patch in package.patches:
        patched.setdefault(patch.file, []).append(patch.why)
    manifest.packages[package.folder] = {
        "name": package.name,
        "version": package.version,
        "integrity": package.integrity,
        "license": package.license,
        **({"license_note": package.license_note} if package.license_note else {}),
    }
    for name, content in files.items():
        path = folder / package.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        manifest.files[f"{package.folder}/{name}"] = {
            "sha256": hashlib.sha256(content).hexdigest(),
            "license": package.license,
            **({"patched": patched[name]} if name in patched else {}),
        }
    for suffix, name in package.urls.items():
        if name not in files:
            raise SystemExit(f"vendor_assets: {package.spec}: {suffix} leads to {name}, which is not shipped")
        manifest.add_url(suffix, {"file": f"{package.folder}/{name}"})


def make(folder: Path) -> None:
    """Make the vendor folder at a path that does not exist yet."""
    folder.mkdir(parents=True)
    manifest = Manifest()
    with tempfile.TemporaryDirectory() as temporary:
        for number, package in enumerate(PACKAGES):
            contents = members(fetch(package, Path(temporary) / str(number)))
            check_license(package, contents)
            ship(package, chosen(package, contents), folder, manifest)
    for row in DROPPED:
        for suffix in row.urls:
            needed = {"needed_by": list(row.needed_by)} if row.needed_by else {}
            manifest.add_url(suffix, {"file": None, "reason": row.reason, **needed})
    manifest.write(folder / "manifest.json")
    (folder / ".gitattributes").write_text(GIT_ATTRIBUTES, encoding="utf-8")


def differences(a: Path, b: Path) -> list[str]:
    """Files that two folders do not share byte for byte, by their path below the folder."""
    names = sorted({str(p.relative_to(top)) for top in (a, b) for p in top.rglob("*") if p.is_file()})
    same, _, _ = filecmp.cmpfiles(a, b, names, shallow=False)
    return [name for name in names if name not in same]


def main(argv: list[str] | None = None) -> int:
    """Make the folder, or with ``--check`` compare it; 1 when it differs."""
    parser = argparse.ArgumentParser(description="Make geoplan_web/static/vendor from pinned npm tarballs.")
    parser.add_argument("--check", action="store_true", help="change nothing; say which files differ")
    wanted = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(dir=VENDOR.parent, prefix=".vendor-") as temporary:
        fresh = Path(temporary) / "vendor"
        make(fresh)
        if wanted.check:
            unlike = differences(VENDOR, fresh)
            print("\n".join(unlike) or "vendor_assets: the folder is what the tables say")
            return int(bool(unlike))
        if VENDOR.exists():
            shutil.rmtree(VENDOR)
        fresh.rename(VENDOR)
    return 0


if __name__ == "__main__":
    sys.exit(main())
