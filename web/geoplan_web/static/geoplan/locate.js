/*
 * The page on which a file's place is picked: candidates on a map without tiles, beside the list that works without it.
 *
 * Picking a city chooses the candidate that lies there; picking a candidate shows it. Nothing is fetched.
 */
(function () {
  "use strict";

  const box = document.getElementById("locate-map");
  const form = document.querySelector(".locate-form");
  const {candidates, cities} = JSON.parse(box.dataset.drawn);
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const plain = {color: "#0b3d91", weight: 2, fillOpacity: 0.15};
  const chosen = {color: "#b42318", weight: 4, fillOpacity: 0.5};

  box.hidden = false;
  const map = L.map(box, {attributionControl: false, minZoom: 3, maxZoom: 10, zoomSnap: 0.5});
  const dot = {radius: 1.5, color: "#8a94a0", weight: 1, interactive: false};
  for (const [, name, lon, lat] of cities) {
    const city = L.circleMarker([lat, lon], dot).addTo(map);
    city.bindTooltip(document.createTextNode(name).textContent.replace(/[&<>]/g, ""), {
      permanent: true, direction: "right", className: "locate-city",
    });
  }
  const labels = () => box.classList.toggle("locate-near", map.getZoom() >= 6.5);
  map.on("zoomend", labels);

  const marks = new Map(); // EPSG code -> mark
  for (const each of candidates) {
    const mark = L.circleMarker([each.lat, each.lon], {...plain, radius: 9}).addTo(map);
    mark.on("click", () => pick(each.epsg));
    marks.set(String(each.epsg), mark);
  }
  const whole = L.latLngBounds(candidates.map((each) => [each.lat, each.lon]));
  map.fitBounds(whole.pad(0.2), {maxZoom: 8, animate: false});
  labels();

  function show() {
    const input = form.querySelector("input[name='epsg']:checked");
    for (const [code, mark] of marks) { mark.setStyle(input && input.value === code ? chosen : plain); }
    if (input) {
      marks.get(input.value).bringToFront();
      map.setView(marks.get(input.value).getLatLng(), 8, {animate: !calm});
    }
  }

  function pick(code) {
    const input = form.querySelector(`input[name="epsg"][value="${code}"]`);
    input.checked = true;
    input.closest("li").scrollIntoView({block: "nearest"});
    show();
  }

  form.addEventListener("change", (event) => {
    if (event.target.name === "epsg") { show(); }
    if (event.target.name !== "place") { return; }
    const city = cities.find(([code]) => code === event.target.value);
    if (!city) { return; }
    const [, , lon, lat, radius] = city;
    const away = (each) => map.distance([each.lat, each.lon], [lat, lon]) / 1000;
    const [best] = [...candidates].sort((one, other) => away(one) - away(other));
    if (best && away(best) <= radius) { pick(best.epsg); } else { map.setView([lat, lon], 7, {animate: !calm}); }
  });
  show();
})();
