/*
 * L.control.geoplanLegend: legend and layer control in one, since both list the same.
 *
 *   L.control.geoplanLegend(drawing, {position: "topright"}).addTo(map);
 *
 * A line for each layer of a `L.geoplanDrawing`, under the heading of its group: a box to show it, a sample drawn
 * like the layer itself, its title and how many things it has. A layer of several styles lists them below itself.
 */
(function () {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const NARROW = 600; // pixels of map below which the legend begins folded

  function drawn(tag, attributes, parent) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) { made.setAttribute(name, value); }
    return parent.appendChild(made);
  }

  /* Hatching inside a sample: a pattern of its own, so that it prints wherever the legend stands. */
  let samples = 0;
  function hatched(svg, hatch) {
    const id = `geoplan-sample-${(samples += 1)}`;
    const size = {width: hatch.width, height: hatch.height};
    const turned = `rotate(${hatch.angle})`;
    const pattern = drawn("pattern", {id, patternUnits: "userSpaceOnUse", patternTransform: turned, ...size}, svg);
    drawn("rect", {...size, fill: hatch.spaceColor, "fill-opacity": hatch.spaceOpacity}, pattern);
    drawn("rect", {width: hatch.width, height: hatch.weight, fill: hatch.color}, pattern);
    return `url(#${id})`;
  }

  /* A sample of a style: a patch where it is filled, else a line. */
  function sample(style) {
    const svg = document.createElementNS(SVG, "svg");
    for (const [name, value] of Object.entries({class: "geoplan-sample", viewBox: "0 0 28 16", "aria-hidden": "true"})) {
      svg.setAttribute(name, value);
    }
    const line = {stroke: style.color, "stroke-width": style.weight, "stroke-dasharray": style.dashArray || "none"};
    if (!style.fill) {
      drawn("path", {d: "M1 8H27", fill: "none", ...line}, svg);
    } else {
      const fill = style.hatch ? hatched(svg, style.hatch) : style.fillColor;
      const opacity = style.hatch ? 1 : style.fillOpacity;
      const patch = {x: 2, y: 2, width: 24, height: 12};
      drawn("rect", {...patch, fill, "fill-opacity": opacity, ...line}, svg);
      if (style.cross) { drawn("rect", {...patch, fill: hatched(svg, style.cross)}, svg); }
    }
    if (style.mark) { drawn("circle", {cx: 14, cy: 8, r: 6.5, fill: "none", ...line}, svg); }
    return svg;
  }

  function element(tag, className, text, parent) {
    const made = L.DomUtil.create(tag, className, parent);
    made.textContent = text;
    return made;
  }

  L.Control.GeoplanLegend = L.Control.extend({
    options: {position: "topright"},

    initialize(drawing, options) {
      L.setOptions(this, options);
      this._drawing = drawing;
    },

    onAdd(map) {
      const {words, missing, whole} = this._drawing.data;
      const box = L.DomUtil.create("section", "geoplan-legend");
      box.setAttribute("aria-label", words.legend);
      this._toggle = element("button", "geoplan-legend-toggle", words.legend, box);
      this._toggle.type = "button";
      this._body = L.DomUtil.create("div", "geoplan-legend-body", box);
      for (const group of this._drawing.groups) { this._group(group); }
      if (missing.length) { this._absent(words, missing); }
      if (whole && whole.length) { this._leads(words, whole); }
      L.DomEvent.disableClickPropagation(box);
      L.DomEvent.disableScrollPropagation(box);
      L.DomEvent.on(this._toggle, "click", () => this._fold(!this._body.hidden));
      this._fold(map.getSize().x < NARROW);
      this._print = window.matchMedia("print");
      this._onPrint = () => this._whole(box);
      this._print.addEventListener("change", this._onPrint);
      map.on("resize", this._fit, this);
      map.whenReady(this._fit, this);
      return box;
    },

    onRemove(map) {
      this._print.removeEventListener("change", this._onPrint);
      map.off("resize", this._fit, this);
    },

    /* Paper does not scroll: a legend that is taller than the map is printed smaller, and whole. */
    _whole(box) {
      box.style.zoom = "";
      const room = this._map.getContainer().clientHeight - 20;
      if (this._print.matches && box.offsetHeight > room) { box.style.zoom = String(room / box.offsetHeight); }
    },

    _fold(folded) {
      this._body.hidden = folded;
      this._toggle.setAttribute("aria-expanded", String(!folded));
    },

    /* The legend stays inside the map and scrolls by itself. */
    _fit() { this._body.style.maxHeight = `${Math.max(120, this._map.getSize().y - 90)}px`; },

    _group({title, layers}) {
      const group = L.DomUtil.create("fieldset", "", this._body);
      element("legend", "", title, group);
      for (const layer of layers) { this._line(layer, group); }
    },

    _line(layer, parent) {
      const {title, styles, shown, count} = layer;
      const line = L.DomUtil.create("label", "geoplan-legend-line", parent);
      const box = L.DomUtil.create("input", "", line);
      box.type = "checkbox";
      box.checked = shown;
      L.DomEvent.on(box, "change", () => this._drawing.toggle(layer, box.checked));
      if (styles.length === 1) { line.appendChild(sample(styles[0])); }
      element("span", "", title, line);
      element("span", "geoplan-legend-count", String(count), line);
      if (styles.length === 1) { return; }
      const list = L.DomUtil.create("ul", "geoplan-legend-classes", parent);
      for (const style of styles) {
        const item = L.DomUtil.create("li", "", list);
        item.appendChild(sample(style));
        element("span", "", style.title, item);
      }
    },

    /* The maps of whole layers, at this place. */
    _leads(words, whole) {
      const box = L.DomUtil.create("p", "geoplan-legend-whole", this._body);
      element("strong", "", words.whole, box);
      for (const {title, href} of whole) {
        const link = element("a", "", title, box);
        Object.assign(link, {href, target: "_blank", rel: "noopener"});
      }
    },

    /* What the map cannot show because nobody gave it: an empty place on the map is no clearance. */
    _absent(words, missing) {
      const box = L.DomUtil.create("div", "geoplan-legend-missing", this._body);
      element("strong", "", words.missing, box);
      const list = L.DomUtil.create("ul", "", box);
      for (const role of missing) { element("li", "", role, list); }
    },
  });

  L.control.geoplanLegend = (drawing, options) => new L.Control.GeoplanLegend(drawing, options);
})();
