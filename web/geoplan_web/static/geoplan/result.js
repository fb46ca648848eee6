/*
 * The result page: findings and map show the same choice.
 *
 * Links to the map work without this script, since they name the frame that they open in. With it the map moves
 * without loading anew, the chosen finding is marked, and a patch that is clicked on the map chooses its finding.
 */
(function () {
  "use strict";

  const NARROW = window.matchMedia("(max-width: 1000px)"); // the map stands below the findings, as in app.css
  const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");
  const frame = document.querySelector("iframe[name='geoplan-map']");
  let shown = "";

  function moveTo(element, block) {
    element.scrollIntoView({block, behavior: CALM.matches ? "auto" : "smooth"});
  }

  /* Whether most of an element is on the screen. */
  function inView(element) {
    const {top, bottom, height} = element.getBoundingClientRect();
    return Math.min(bottom, window.innerHeight) - Math.max(top, 0) > 0.6 * Math.min(height, window.innerHeight);
  }

  /* Mark one finding, opening whatever is folded around it; none takes the mark away. */
  function mark(finding) {
    for (const marked of document.querySelectorAll("[aria-current='true']")) { marked.removeAttribute("aria-current"); }
    if (!finding) { return; }
    for (let around = finding.parentElement; around; around = around.parentElement) {
      if (around.tagName === "DETAILS") { around.open = true; }
    }
    finding.setAttribute("aria-current", "true");
  }

  function show(hash) {
    shown = hash;
    frame.contentWindow.postMessage({geoplan: "show", hash}, window.location.origin);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[target='geoplan-map']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) { return; }
    event.preventDefault();
    mark(link.closest("[id].finding, [id].structural"));
    show(link.hash);
    if (NARROW.matches || !inView(frame)) { moveTo(frame, "start"); } // below the findings the map is left behind
  });

  window.addEventListener("message", ({origin, source, data}) => {
    if (origin !== window.location.origin || source !== frame.contentWindow) { return; }
    if (!data || data.geoplan !== "pick" || !Array.isArray(data.findings)) { return; }
    const found = data.findings.map((anchor) => document.getElementById(anchor)).filter(Boolean);
    if (found.some((finding) => finding.matches("[aria-current='true']"))) { return; } // one of them is chosen already
    mark(found[0]);
    if (found.length) { moveTo(found[0], "nearest"); }
  });

  /* The address of the page may name a finding; the map learns of it as soon as it is there. */
  function follow() {
    const finding = document.getElementById(window.location.hash.slice(1)); // ids are plain ASCII
    if (!finding || !finding.matches(".finding, .structural")) { return; }
    mark(finding);
    finding.scrollIntoView({block: "start"});
    const link = finding.querySelector("a[target='geoplan-map']");
    if (link) { show(link.hash); }
  }

  window.addEventListener("hashchange", follow);
  frame.addEventListener("load", () => { if (shown) { show(shown); } });
  follow();

  // On paper nothing can be unfolded; questions that are still open are listed without their clauses (app.css).
  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const each of folded) { each.open = true; }
  });
  window.addEventListener("afterprint", () => {
    for (const each of folded) { each.open = false; }
  });
})();
