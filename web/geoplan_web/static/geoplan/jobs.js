/*
 * Follows what runs: every second the page is asked for again, and the parts marked as live are put in their place.
 *
 * Without this script the page reloads itself. When a status changes the whole page is loaded: it offers other things.
 */
(function () {
  "use strict";

  const EVERY_MS = 1000;
  const PATIENCE = 30; // answers that may fail to come before the page is left as it is

  let failed = 0;

  async function look() {
    const answer = await fetch(window.location.href, {headers: {Accept: "text/html"}, cache: "no-store"});
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const shown of document.querySelectorAll("[data-live]")) {
      const now = page.getElementById(shown.id);
      if (!now || now.dataset.live !== shown.dataset.live) { window.location.reload(); return false; }
      if (now.innerHTML !== shown.innerHTML) { shown.replaceChildren(...document.adoptNode(now).childNodes); }
    }
    return true;
  }

  async function follow() {
    let more = true;
    try {
      more = await look();
      failed = 0;
    } catch {
      failed += 1;
    }
    if (more && failed < PATIENCE) { window.setTimeout(follow, EVERY_MS * (1 + failed)); }
  }

  window.setTimeout(follow, EVERY_MS);
})();
