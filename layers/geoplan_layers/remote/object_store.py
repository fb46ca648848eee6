"""A folder of GeoParquet files on object storage that speaks S3, copied to the disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from geoplan.errors import CannotFinish, InputRefused, TooLarge
from geoplan.progress import Progress
from geoplan_layers.files.limits import LAYER
from geoplan_layers.remote.allowed import Folder

SUFFIXES = (".parquet", ".geoparquet")
_PIECE = 4 << 20
_CONNECT_S, _REQUEST_S = 10, 60


def fetch_folder(folder: Folder, into: Path, progress: Progress) -> list[tuple[Path, str]]:
    """Copy every GeoParquet file of a folder, in the order of their names; where each lies, and its name there.

    Raises
    ------
    InputRefused
        The folder holds none.
    TooLarge
        It holds more than a layer may.
    CannotFinish
        The storage cannot be reached, refuses, or breaks off.
    Cancelled
        The user stopped it.
    """
    try:
        store = _store(folder)
        files = _listed(store, folder)
        total, done = sum(size for _, size in files), 0
        brought: list[tuple[Path, str]] = []
        for i, (path, _) in enumerate(files):
            target = into / f"{i:05}.parquet"
            with store.open_input_stream(path) as source, target.open("wb") as copy:
                while piece := source.read(_PIECE):
                    copy.write(piece)
                    done += len(piece)
                    progress("fetching", done, max(total, done))
            brought.append((target, f"s3://{path}"))
        return brought
    except OSError as wrong:
        raise CannotFinish("remote-failed", file=folder.shown, detail=_said(wrong, folder)) from None


def _store(folder: Folder) -> Any:
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    bucket = folder.bucket
    scheme, _, host = (bucket.endpoint or "https://").rstrip("/").partition("://")
    secret = {
        name: value.get_secret_value()
        for name, value in (("access_key", bucket.access_key), ("secret_key", bucket.secret_key))
        if value is not None
    }
    return S3FileSystem(
        **secret,
        anonymous=not secret,
        region=bucket.region,
        scheme=scheme,
        endpoint_override=host or None,
        connect_timeout=_CONNECT_S,
        request_timeout=_REQUEST_S,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=3),
    )


def _listed(store: Any, folder: Folder) -> Sequence[tuple[str, int]]:
    """The files of a folder with their sizes, bytes; what writers leave beside the data begins with _ or a dot."""
    from pyarrow.fs import FileSelector, FileType

    found = store.get_file_info(FileSelector(folder.path, recursive=True, allow_not_found=True))
    if not found:
        found = store.get_file_info([folder.path])  # a single file may be named as well
    files = sorted(
        (each.path, each.size)
        for each in found
        if each.type == FileType.File
        and each.path.lower().endswith(SUFFIXES)
        and not PurePosixPath(each.path).name.startswith(("_", "."))
    )
    if not files:
        raise InputRefused("remote-folder-empty", file=folder.shown, known=list(SUFFIXES))
    if len(files) > LAYER.entries:
        raise TooLarge("remote-files", file=folder.shown, most=LAYER.entries)
    if sum(size for _, size in files) > LAYER.file_bytes:
        raise TooLarge("remote-bytes", file=folder.shown, most=LAYER.file_bytes)
    return files


def _said(wrong: OSError, folder: Folder) -> str:
    """What the storage said, without its keys."""
    said = (str(wrong).splitlines() or [type(wrong).__name__])[0]
    for key in (folder.bucket.access_key, folder.bucket.secret_key):
        if key and key.get_secret_value():
            said = said.replace(key.get_secret_value(), "…")
    return said[:200]
