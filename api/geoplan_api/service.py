"""The service behind the routes: its home, store, threads and layers, and how a form becomes a stored check."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from fastapi import Request

from geoplan.errors import CannotFinish, GeoplanError, InputRefused
from geoplan.messages import Lang
from geoplan.plane import Plane
from geoplan.policy import Policy, PolicyBook
from geoplan.report import Report
from geoplan_api.form import Question, understand
from geoplan_api.hold import Holds
from geoplan_api.home import Home
from geoplan_api.inquiry import answer
from geoplan_api.jobs.desk import JobDesk
from geoplan_api.objects import Objects
from geoplan_api.office import office_policies
from geoplan_api.pool import CheckPool
from geoplan_api.registered import Registered, registered_layers, store_of
from geoplan_api.settings import Settings
from geoplan_api.store import Store, StoredCheck, new_id
from geoplan_api.tile_desk import TileDesk
from geoplan_api.upload import Submission
from geoplan_layers.overlaps import Overlaps, read_overlaps, write_overlaps
from geoplan_layers.prepared.store import LayerStore
from geoplan_layers.sandbox.session import ReaderFault, reading
from geoplan_layers.sandbox.workers import Cancellation, Pool
from geoplan_web.headline import proposal_name

log = logging.getLogger("geoplan")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Service:
    """Everything that a route needs, open for as long as the app lives."""

    settings: Settings
    home: Home
    objects: Objects
    store: Store
    pool: CheckPool
    readers: Pool
    registered: Registered
    own_policies: tuple[Policy, ...]
    book: PolicyBook
    holds: Holds
    jobs: JobDesk
    tiles: TileDesk
    layers: LayerStore

    def check(
        self, form: Submission, folder: Path, lang: Lang, cancellation: Cancellation | None = None
    ) -> tuple[StoredCheck, bytes]:
        """Judge what a form asks and keep the check: its row and the report's JSON.

        ``folder`` holds the uploads and takes what is built and unpacked; the caller removes it.

        Raises
        ------
        GeoplanError
            What was refused, as the command line would say it.
        """
        with reading(self.readers, folder, cancellation):
            question = _judged(lambda: understand(form, self.book))
            report = _judged(lambda: self._answer(question))
        return self._keep(question, report, folder, lang)

    def _answer(self, question: Question) -> Report:
        asked = replace(question.inquiry, layer_max_age_years=self.settings.layer_max_age_years)
        inquiry, held = self.registered.completed(asked)
        question.request["held"] = held
        return answer(inquiry, (*self.own_policies, *question.own_policies))

    def _keep(self, question: Question, report: Report, folder: Path, lang: Lang) -> tuple[StoredCheck, bytes]:
        """Objects first, the row last: a row never names what is not there."""
        content = report.content.as_dict()
        text = (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()
        overlaps = folder / "overlaps.gpkg"
        _judged(lambda: write_overlaps(report, overlaps))
        check = StoredCheck(
            id=new_id(),
            report_id=report.id,
            report_sha256=self.objects.put(text),
            overlaps_sha256=self.objects.take(overlaps),
            name=(proposal_name(content["proposal"]) or "")[:300] or None,
            verdict=report.verdict,
            application=_application(content),
            made_at=datetime.now(UTC),
            lang=lang,
            request=question.request,
        )
        for _, upload in question.inputs:
            self.objects.take(upload.path, upload.sha256)
        self.store.add(check)
        return check, text

    def report(self, check: StoredCheck) -> tuple[bytes, dict[str, Any]]:
        """The report of a check as stored, and as data for pages."""
        text = self.objects.read(check.report_sha256)
        content: dict[str, Any] = json.loads(text)
        return text, content

    def application(self, check: StoredCheck) -> str | None:
        """State of the application requirements of a check; of an old one from its report, if that is still there."""
        if check.application is not None:
            return check.application
        try:
            return _application(self.report(check)[1])
        except GeoplanError:
            return None

    def overlaps(self, check: StoredCheck, content: dict[str, Any]) -> Overlaps:
        """The geometry of a check's report."""
        with self.objects.named(check.overlaps_sha256, "overlaps.gpkg") as path:
            return read_overlaps(path, Plane(content["plane"]["central_meridian"]))

    def close(self) -> None:
        """Let checks that run end and end jobs, then close the database and let the home go."""
        self.pool.close()
        self.jobs.close()
        self.holds.close()
        self.readers.close()
        self.store.close()
        self.home.close()


def open_service(settings: Settings) -> Service:
    """Open home and database (migrations run here) and read policies and layers.

    Raises
    ------
    GeoplanError
        The home cannot be used, or a policy or layer in it cannot be read.
    """
    home = Home(settings.home)
    readers = Pool(settings.reader_rules())
    try:
        readers.warm()
        own = office_policies(home.root)
        with reading(readers, home.tmp):
            registered = registered_layers(settings)
        store = Store(home.database)
        service = Service(
            settings=settings,
            home=home,
            objects=Objects(home),
            store=store,
            pool=CheckPool(settings.workers, settings.queue_length),
            readers=readers,
            registered=registered,
            own_policies=own,
            book=PolicyBook(own),
            holds=Holds(home),
            jobs=JobDesk(settings, home, store),
            tiles=TileDesk(store_of(home.root)),
            layers=store_of(home.root),
        )
        service.jobs.start()
        return service
    except BaseException:
        readers.close()
        home.close()
        raise


def _application(content: dict[str, Any]) -> str:
    """The worst state of the application requirements among the policies of a report."""
    states = {policy["application"] for policy in content["policies"]}
    return next((each for each in ("broken", "to-be-supplied") if each in states), "complete")


def service_of(request: Request) -> Service:
    """The service of the app that answers a request."""
    service: Service = request.app.state.service
    return service


def _judged(work: Callable[[], Answer]) -> Answer:
    """Run what depends on the content of uploads: whatever it raises was set off by that content.

    The traceback goes to the log under a number, and the user is told that number.
    """
    try:
        return work()
    except GeoplanError as refused:
        if isinstance(refused.__cause__, ReaderFault):
            log.error("a reader failed on an upload: %s", refused.__cause__)
        raise
    except (OSError, MemoryError) as wrong:
        raise CannotFinish("cannot-finish", detail=getattr(wrong, "strerror", None) or type(wrong).__name__) from wrong
    except Exception as wrong:
        fault = secrets.token_hex(4)
        log.exception("fault %s: an upload could not be processed", fault)
        raise InputRefused("not-processable", fault=fault) from wrong
