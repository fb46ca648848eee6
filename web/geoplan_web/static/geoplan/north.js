/*
 * L.control.geoplanNorth: a north arrow with a metric scale bar beside it, as a printed map has them.
 *
 *   L.control.geoplanNorth({position: "bottomleft", lang: "zh", scale: true}).addTo(map);
 *
 * A web map always has north up; the arrow says so on screenshots and prints. The bar is Leaflet's own scale for
 * the middle of the map, without miles. With scale: false the arrow stands alone, to go with another bar.
 * Needs map.css.
 */
(function () {
  "use strict";

  const WORDS = {zh: {letter: "北", label: "上方为北"}, en: {letter: "N", label: "North is up"}};
  const SVG = "http://www.w3.org/2000/svg";

  function shape(d, className) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    path.setAttribute("class", className);
    return path;
  }

  function arrow({letter, label}) {
    const figure = L.DomUtil.create("div", "geoplan-north-arrow");
    figure.setAttribute("role", "img");
    figure.setAttribute("aria-label", label);
    L.DomUtil.create("span", "", figure).textContent = letter;
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 16 24");
    svg.setAttribute("aria-hidden", "true");
    svg.appendChild(shape("M8 1 2 22l6-4z", "geoplan-north-dark"));
    svg.appendChild(shape("M8 1l6 21-6-4z", "geoplan-north-light"));
    figure.appendChild(svg);
    return figure;
  }

  L.Control.GeoplanNorth = L.Control.Scale.extend({
    options: {position: "bottomleft", lang: "zh", scale: true, imperial: false, maxWidth: 120},

    onAdd(map) {
      this.options.metric = this.options.metric && this.options.scale;
      const box = L.DomUtil.create("div", "geoplan-north");
      box.appendChild(arrow(WORDS[this.options.lang] || WORDS.zh));
      const bar = L.Control.Scale.prototype.onAdd.call(this, map);
      if (this.options.scale) { box.appendChild(bar); }
      return box;
    },
  });

  L.control.geoplanNorth = (options) => new L.Control.GeoplanNorth(options);
})();
