/*
 * L.geoplanDrawing: everything that a report shows on its map, from the page's one JSON document.
 *
 *   const drawing = L.geoplanDrawing(data).addTo(map);
 *   drawing.groups   [{title, layers: [{title, styles, shown, count, layer}]}], for the legend
 *   drawing.show(ids) / drawing.home()
 *
 * `data` is what geoplan_web.map_data writes. Foreign text becomes text nodes alone, never HTML. The map fires
 * "geoplan:pick" with {id, findings} when a piece of evidence is clicked.
 */
(function () {
  "use strict";

  // --- Shapes -------------------------------------------------------------------------------------------------

  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

  /* Whole numbers of a Base64 VLQ text. */
  function numbers(text) {
    const found = [];
    let value = 0;
    let bits = 0;
    for (const digit of text) {
      const five = DIGITS.indexOf(digit);
      value += (five & 31) * 2 ** bits;
      bits += 5;
      if (five > 31) { continue; }
      found.push(value % 2 ? -(value - 1) / 2 : value / 2);
      value = 0;
      bits = 0;
    }
    return found;
  }

  /* All vertices of the page as [latitude, longitude] in degrees. */
  function vertices(text, precision) {
    const moves = numbers(text);
    const found = [];
    let [x, y] = [0, 0];
    for (let i = 0; i < moves.length; i += 2) {
      x += moves[i];
      y += moves[i + 1];
      found.push([y / precision, x / precision]);
    }
    return found;
  }

  /* The vertices that a text means by their differences: "*" and a number stand for so many next ones. */
  function run(text, points) {
    const found = [];
    let at = 0;
    text.split("*").forEach((part, i) => {
      const steps = numbers(part);
      for (let next = i ? steps.shift() : 0; next > 0; next -= 1) { found.push(points[(at += 1)]); }
      for (const step of steps) { found.push(points[(at += step)]); }
    });
    return found;
  }

  /* The shape that a text of geoplan_web.map_points means, as a Leaflet layer. */
  function shape(text, points, options) {
    if (text[0] === ".") {
      return L.circleMarker(run(text.slice(1), points)[0], {...options, radius: 6});
    }
    const parts = text.split(";");
    if (text[0] === "-") {
      return L.polyline(parts.map((part) => run(part.slice(1), points)), {...options, fill: false});
    }
    return L.polygon(parts.map((part) => part.split(" ").map((ring) => run(ring, points))), options);
  }

  // --- Popups -------------------------------------------------------------------------------------------------

  function element(tag, className, text, parent) {
    const made = L.DomUtil.create(tag, className, parent);
    made.textContent = text;
    return made;
  }

  /* What is to be told of one thing on the map; findings are buttons that show all their evidence. */
  function told(row, heading, drawing) {
    const {words, findings, icons} = drawing.data;
    const box = L.DomUtil.create("div", "geoplan-told");
    element("h2", "", heading, box);
    const list = L.DomUtil.create("dl", "", box);
    const tell = (name, lines) => {
      if (lines.every((line) => !line)) { return; }
      element("dt", "", words[name], list);
      const value = L.DomUtil.create("dd", "", list);
      for (const line of lines) { element("span", "", line, value); }
    };
    const both = (pair) => (pair ? [`${pair[0]} ${words.m2}`, `${pair[1]} ${words.mu}`] : []);
    tell("roles", row.roles || []);
    tell("patch", [row.patch]);
    tell("label", [row.label]);
    tell("part", [row.part]);
    tell("area", both(row.area));
    tell("net", both(row.net));
    tell("share", [row.share]);
    tell("distance", [row.distance]);
    tell("uses", row.uses || []);
    if (row.findings && row.findings.length) {
      element("h3", "", words.findings, box);
      const cited = L.DomUtil.create("ul", "", box);
      for (const {anchor, title, paper, verdict} of row.findings.map((i) => findings[i])) {
        const button = element("button", "", "", L.DomUtil.create("li", "", cited));
        button.type = "button";
        element("span", `geoplan-verdict geoplan-${verdict}`, icons[verdict], button);
        element("small", "", paper, element("span", "", `${title} `, button));
        L.DomEvent.on(button, "click", () => drawing.showFinding(anchor));
      }
    }
    return box;
  }

  // --- Layers -------------------------------------------------------------------------------------------------

  const PANES = {ground: 350, unknown: 380, areas: 400, casing: 445, lines: 450, inner: 455, shown: 460};
  const CASING = {color: "#fff", opacity: 0.9, dashArray: null, fill: false, interactive: false, pane: "geoplan-casing"};
  const SHOWN = {color: "#0b3d91", weight: 4, fill: false, interactive: false};

  const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");
  const EDGE = {left: 56, top: 28, right: 28, bottom: 44}; // pixels: buttons, the scale, and some air

  /* A mark over a thing on the map, in its shape. */
  function outline(each, more) {
    const options = {...SHOWN, pane: "geoplan-shown", ...more};
    if (each instanceof L.CircleMarker) { return L.circleMarker(each.getLatLng(), {...options, radius: 11}); }
    return (each instanceof L.Polygon ? L.polygon : L.polyline)(each.getLatLngs(), options);
  }

  function middle(drawn) { return drawn.getLatLng ? drawn.getLatLng() : drawn.getBounds().getCenter(); }

  const FIGURE = new Intl.NumberFormat("en-US", {minimumFractionDigits: 2, maximumFractionDigits: 2});

  /* A column of the document, row by row. */
  function columnOf(column) {
    if (Array.isArray(column)) { return column; }
    if (column.of) { return numbers(column.at).map((place) => column.of[place]); }
    const printed = numbers(column.hundredths).map((figure) => FIGURE.format(figure / 100));
    return Array.from({length: printed.length / 2}, (_, row) => printed.slice(2 * row, 2 * row + 2));
  }

  /* The rows of a layer, each an object, from the columns of the document. */
  function rowsOf({rows: written, labels, starts}) {
    const rows = Object.fromEntries(Object.entries(written).map(([key, column]) => [key, columnOf(column)]));
    const whole = (key, i) => (starts[key] || "") + (rows[key] ? rows[key][i] : "");
    return rows.shape.map((text, i) => {
      const row = Object.fromEntries(Object.entries(rows).map(([key, column]) => [key, column[i]]));
      return {...row, shape: text, patch: whole("patch", i), id: whole("id", i), label: labels[row.label || 0]};
    });
  }

  L.GeoplanDrawing = L.Class.extend({
    initialize(data) {
      this.data = data;
      this.groups = [];
      this._shapes = new Map(); // id -> Leaflet layer
      this._evidence = new Map(); // anchor of a finding -> ids
    },

    addTo(map) {
      this._map = map;
      map.getContainer().setAttribute("role", "main");
      map.getContainer().setAttribute("aria-label", document.title);
      for (const [name, zIndex] of Object.entries(PANES)) {
        map.createPane(`geoplan-${name}`).style.zIndex = zIndex;
      }
      this._labels = L.geoplanLabels(map, () => this._room());
      this._ground = L.canvas({pane: "geoplan-ground"}); // many patches, and none hatched
      this._points = vertices(this.data.points, this.data.precision);
      this.groups = this.data.groups.map(({title, layers}) => ({title, layers: layers.map((each) => this._layer(each))}));
      for (const each of this._layers()) { this.toggle(each, each.shown); }
      this._shown = L.featureGroup([], {pane: "geoplan-shown"}).addTo(map);
      this._home = L.latLngBounds([]);
      for (const part of ["planning", "construction"]) {
        const boundary = this._shapes.get(`boundary.${part}`);
        if (boundary) { this._home.extend(boundary.getBounds()); }
      }
      // A sheet of paper has another shape than the screen: fill it with the same ground.
      window.matchMedia("print").addEventListener("change", () => {
        map.invalidateSize({animate: false});
        this._fit(this._goal, {animate: false});
      });
      return this;
    },

    /* The boundaries, filling the map. */
    home() { return this._fit(this._home, {animate: false}); },

    /* The part of the map that neither legend nor buttons cover, in pixels. */
    _room() {
      const {x, y} = this._map.getSize();
      const legend = this._map.getContainer().querySelector(".geoplan-legend-body:not([hidden])");
      const taken = legend ? legend.offsetWidth : 0;
      const right = taken < x / 2 ? taken : 0; // else it covers the map whatever we do
      return L.bounds([EDGE.left, EDGE.top], [x - right - EDGE.right, y - EDGE.bottom]);
    },

    /* Move to bounds, clear of what stands on the map. */
    _fit(bounds, options) {
      this._goal = bounds;
      const room = this._room();
      const padding = {paddingTopLeft: room.min, paddingBottomRight: this._map.getSize().subtract(room.max)};
      this._map.fitBounds(bounds, {...padding, animate: !CALM.matches, ...options});
      return this;
    },

    /* Put pieces of evidence before everything else and move to them; none takes the mark away. */
    show(ids) {
      const found = ids.map((id) => this._shapes.get(id)).filter(Boolean);
      this._map.closePopup();
      this._outline(found);
      return found.length ? this._fit(this._shown.getBounds(), {maxZoom: 17}) : this;
    },

    /* What is to be told of one patch, beside it; a boundary is looked at as a whole. */
    tell(id) {
      const shape = this._shapes.get(id);
      if (shape && !id.startsWith("boundary.") && this._map.hasLayer(shape)) { shape.openPopup(); }
    },

    showFinding(anchor) {
      this.show(this.evidenceOf(anchor));
      this._map.fire("geoplan:pick", {id: null, findings: [anchor]});
      return this;
    },

    /* The pieces that a finding is shown by: of many distances only those that decide. */
    evidenceOf(anchor) {
      const {shows} = this.data.findings.find((finding) => finding.anchor === anchor) || {};
      return shows || this._evidence.get(anchor) || [];
    },

    _outline(several) {
      this._labels.arrange(several);
      this._shown.clearLayers();
      for (const each of several) {
        for (const more of [{color: "#fff", weight: 8}, {}]) { this._shown.addLayer(outline(each, more)); }
      }
    },

    _layer(layer) {
      const group = L.layerGroup();
      const styles = layer.styles.map((style) => this._style(style, layer.pane));
      const rows = rowsOf(layer);
      for (const row of rows) { this._draw(row, layer.heading, styles[row.style || 0], group); }
      return {title: layer.title, styles: layer.styles, shown: layer.shown, count: rows.length, layer: group};
    },

    /* All layers from the ground up: the last of the legend first. */
    _layers() { return this.groups.flatMap(({layers}) => layers).reverse(); },

    /* Show or hide a layer of a group; what stands above it in the legend stays above it on the map. */
    toggle({layer}, shown) {
      if (!shown) { layer.remove(); return; }
      layer.addTo(this._map);
      const layers = this._layers().map((each) => each.layer);
      for (const above of layers.slice(layers.indexOf(layer) + 1)) {
        if (this._map.hasLayer(above)) { above.eachLayer((each) => each.bringToFront && each.bringToFront()); }
      }
      this._labels.arrange();
    },

    /* Path options of a style; its hatching must be on the map before anything is filled with it. */
    _style({hatch, cross, ...options}, pane) {
      const style = {...options, pane: `geoplan-${pane}`};
      if (pane === "ground") { style.renderer = this._ground; }
      if (hatch) { style.fillPattern = L.stripePattern(hatch).addTo(this._map); }
      if (cross) { style.across = {...style, stroke: false, interactive: false, fillPattern: L.stripePattern(cross).addTo(this._map)}; }
      return style;
    },

    _draw(row, heading, style, group) {
      if (style.casing) {
        group.addLayer(shape(row.shape, this._points, {...CASING, weight: style.weight + 4}));
      }
      if (style.across) { group.addLayer(shape(row.shape, this._points, style.across)); }
      const drawn = shape(row.shape, this._points, style).addTo(group);
      drawn.bindPopup(() => told(row, heading, this), {maxWidth: 320, closeButton: true});
      if (style.mark && !(drawn instanceof L.CircleMarker)) { this._mark(drawn, style, group); }
      if (row.text) { this._write(row.text, drawn, group); }
      if (!row.id) { return; }
      this._shapes.set(row.id, drawn);
      const anchors = (row.findings || []).map((i) => this.data.findings[i].anchor);
      for (const anchor of anchors) { this._evidence.set(anchor, [...(this._evidence.get(anchor) || []), row.id]); }
      drawn.on("click", () => {
        this._outline([drawn]);
        this._map.fire("geoplan:pick", {id: row.id, findings: anchors});
      });
    },

    /* A ring around what is too small to see; it stands for the thing itself. */
    _mark(drawn, style, group) {
      const ring = L.circleMarker(middle(drawn), {...style, radius: 9, weight: 2, fill: false});
      ring.addTo(group).on("click", (event) => drawn.fire("click", event));
    },

    /* Words beside a thing: a town's name on it, a distance on its line. */
    _write(text, drawn, group) {
      const isLine = drawn instanceof L.Polyline && !(drawn instanceof L.Polygon);
      const className = isLine ? "geoplan-label geoplan-distance" : "geoplan-label";
      group.addLayer(this._labels.label(element("span", "", text), drawn, className));
    },
  });

  L.geoplanDrawing = (data) => new L.GeoplanDrawing(data);
})();
