"""The folders of jobs: ``jobs/<id>/in`` for what the user sent, ``jobs/<id>/out`` for what was made."""

from __future__ import annotations

import shutil
import time
from collections.abc import Set
from pathlib import Path

from geoplan.errors import CannotFinish
from geoplan_api.home import Home
from geoplan_layers.durable import bring_to_disk, bring_tree_to_disk


class JobFolders:
    """Files of jobs below a home; a folder is moved into its place whole, after its bytes have reached the disk."""

    def __init__(self, home: Home) -> None:
        self._root = home.root / "jobs"
        self._root.mkdir(mode=0o700, exist_ok=True)

    def inputs(self, job_id: str) -> Path:
        """What the user sent with a job."""
        return self._root / job_id / "in"

    def out(self, job_id: str) -> Path:
        """What a job made."""
        return self._root / job_id / "out"

    def take_inputs(self, job_id: str, folder: Path | None) -> None:
        """Make a folder of ``tmp`` that of a job's inputs; an empty one where there are none."""
        if folder is None:
            self.inputs(job_id).mkdir(mode=0o700, parents=True)
        else:
            self._settle(folder, self.inputs(job_id))

    def keep(self, job_id: str, folder: Path) -> None:
        """Make a folder of ``tmp`` that of what a job made; nothing is kept of an empty one.

        Raises
        ------
        CannotFinish
            The disk does not take it.
        """
        if any(folder.iterdir()):
            self._settle(folder, self.out(job_id))

    def tidy(self, job_id: str, *, keep: bool) -> None:
        """Remove what an ended job needs no more: its inputs, and all of it unless it is to be kept."""
        shutil.rmtree(self.inputs(job_id), ignore_errors=True)
        if not keep or not self.out(job_id).is_dir():
            self.remove(job_id)

    def remove(self, job_id: str) -> None:
        """Remove everything of a job."""
        shutil.rmtree(self._root / job_id, ignore_errors=True)

    def sweep(self, known: Set[str]) -> None:
        """Remove the folders of jobs that never came into the table."""
        for folder in self._root.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)

    def sweep_inputs(self, open_jobs: Set[str], seconds: float) -> None:
        """Remove inputs that have lain for so long without a job that needs them."""
        for folder in self._root.iterdir():
            inputs = folder / "in"
            try:
                age = time.time() - inputs.stat().st_mtime
            except OSError:
                continue
            if folder.name not in open_jobs and age > seconds:
                self.tidy(folder.name, keep=True)

    def _settle(self, folder: Path, target: Path) -> None:
        try:
            target.parent.mkdir(mode=0o700, exist_ok=True)
            bring_tree_to_disk(folder)
            folder.rename(target)
            bring_to_disk(target.parent)
        except OSError as wrong:
            raise CannotFinish("home-not-writable", path="jobs", detail=wrong.strerror or str(wrong)) from None
