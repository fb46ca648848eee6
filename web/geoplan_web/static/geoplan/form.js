/*
 * The form of the start page: names of chosen files, drag and drop, and a busy button.
 *
 * Without this script the form is sent as it is. With it a refusal is told on the page, and the files stay chosen.
 */
(function () {
  "use strict";

  const form = document.querySelector(".check-form");
  const button = form.querySelector("button[type='submit']");
  const ready = button.textContent;
  document.documentElement.classList.add("scripted");

  // --- Files --------------------------------------------------------------------------------------------------

  function size(bytes) {
    return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  }

  function list(drop) {
    const input = drop.querySelector("input");
    const names = drop.querySelector(".drop-files");
    const files = [...input.files];
    names.textContent = files.map((file) => `${file.name} (${size(file.size)})`).join("\n") || names.dataset.empty;
    drop.classList.toggle("chosen", files.length > 0);
  }

  for (const drop of form.querySelectorAll(".drop")) {
    const input = drop.querySelector("input");
    const over = (is) => (event) => { event.preventDefault(); drop.classList.toggle("over", is); };
    drop.addEventListener("dragenter", over(true));
    drop.addEventListener("dragover", over(true));
    drop.addEventListener("dragleave", over(false));
    drop.addEventListener("drop", (event) => {
      over(false)(event);
      if (event.dataTransfer.files.length) { input.files = event.dataTransfer.files; list(drop); }
    });
    input.addEventListener("change", () => list(drop));
    list(drop);
  }

  // --- Sending ------------------------------------------------------------------------------------------------

  function busy(is) {
    button.disabled = is;
    button.textContent = is ? form.dataset.busy : ready;
    form.setAttribute("aria-busy", String(is));
  }

  /* What is sent: files that nobody chose are left out. */
  function filled() {
    const data = new FormData();
    for (const [name, value] of new FormData(form)) {
      if (!(value instanceof File) || value.name) { data.append(name, value); }
    }
    return data;
  }

  function tell(refusal) {
    const place = document.getElementById("refusal");
    place.replaceWith(refusal);
    refusal.scrollIntoView({block: "center"});
  }

  function lost() {
    const refusal = document.createElement("div");
    refusal.id = "refusal";
    refusal.className = "refusal";
    refusal.setAttribute("role", "alert");
    refusal.appendChild(document.createElement("p")).textContent = form.dataset.lost;
    return refusal;
  }

  async function send() {
    const answer = await fetch(form.action, {method: "POST", body: filled(), headers: {Accept: "text/html"}});
    if (answer.redirected) { window.location.assign(answer.url); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    busy(false);
    tell(page.querySelector(".refusal") ? document.adoptNode(page.querySelector(".refusal")) : lost());
    document.querySelector(".refusal").id = "refusal";
  }

  form.addEventListener("submit", (event) => {
    if (event.submitter && event.submitter.hasAttribute("formaction")) { return; } // the blank facts file
    event.preventDefault();
    busy(true);
    send().catch(() => { busy(false); tell(lost()); });
  });

  window.addEventListener("pageshow", () => busy(false)); // also when the reader comes back
})();
