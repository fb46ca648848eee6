/*
 * L.control.geoplanMeasure: length, perimeter and area of what is clicked on the map, in every unit at once.
 *
 *   L.control.geoplanMeasure({position: "topleft", lang: "zh"}).addTo(map);
 *
 * By hand: click to add a point, double-click (or click the first point) to finish. By keyboard, with the focus on
 * the map: arrows move the map under the cross, space adds a point there, Backspace takes the last one back, Enter
 * finishes, Esc stops. After each change the map fires "geoplan:measure" with {points, finished, length,
 * perimeter, area} in metres and square metres; area is null while there is none.
 *
 * Figures are geodesic on the CGCS2000 ellipsoid: see `segment`. Needs map.css. No eval, no innerHTML, no style
 * attribute, so that it runs under a strict content security policy.
 */
(function () {
  "use strict";

  // --- Geodesy ------------------------------------------------------------------------------------------------

  const A = 6378137; // CGCS2000: semi-major axis in metres and flattening (GB 22021-2008; the shape of GRS 80)
  const F = 1 / 298.257222101;
  const B = A * (1 - F);
  const E2 = F * (2 - F);
  const EP2 = E2 / (1 - E2);
  const AUTHALIC2 = (A * A + (B * B * Math.atanh(Math.sqrt(E2))) / Math.sqrt(E2)) / 2; // authalic radius squared
  const RAD = Math.PI / 180;

  /*
   * The auxiliary sphere of a geodesic: longitude difference there by Vincenty's iteration (Survey Review 23/176,
   * 1975, formulae 11-18), in the form that keeps short lines exact. Null for points all but opposite each other.
   */
  function auxiliary(from, to) {
    const u1 = Math.atan((1 - F) * Math.tan(from.lat * RAD));
    const u2 = Math.atan((1 - F) * Math.tan(to.lat * RAD));
    const [s1, c1, s2, c2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
    const degrees = to.lng - from.lng;
    const difference = (degrees - 360 * Math.round(degrees / 360)) * RAD; // exact where nothing is to wrap
    let lambda = difference;
    for (let i = 0; i < 50; i += 1) {
      const across = c2 * Math.sin(lambda);
      const along = Math.sin(u2 - u1) + 2 * s1 * c2 * Math.sin(lambda / 2) ** 2;
      const sin = Math.hypot(across, along);
      const cos = s1 * s2 + c1 * c2 * Math.cos(lambda);
      if (sin === 0) { return {sigma: 0}; }
      const sigma = Math.atan2(sin, cos);
      const sinA = (c1 * across) / sin;
      const cos2A = 1 - sinA * sinA;
      const cosM = cos2A > 1e-15 ? cos - (2 * s1 * s2) / cos2A : 0;
      const c = (F / 16) * cos2A * (4 + F * (4 - 3 * cos2A));
      const before = lambda;
      lambda = difference +
        (1 - c) * F * sinA * (sigma + c * sin * (cosM + c * cos * (2 * cosM * cosM - 1)));
      if (Math.abs(lambda - before) <= 1e-15 * Math.abs(lambda)) {
        const start = Math.atan2(s1, c1 * Math.cos(Math.atan2(across, along)));
        return {sigma, sin, cos, sinA, cos2A, cosM, lambda, u1, u2, start};
      }
    }
    return null;
  }

  /* Length of a geodesic in metres (Vincenty 1975, formulae 3, 4, 6 and 19). */
  function lengthOf({sigma, sin, cos, cos2A, cosM}) {
    const k = cos2A * EP2;
    const scale = 1 + (k / 16384) * (4096 + k * (-768 + k * (320 - 175 * k)));
    const b = (k / 1024) * (256 + k * (-128 + k * (74 - 47 * k)));
    const third = (b / 6) * cosM * (4 * sin * sin - 3) * (4 * cosM * cosM - 3);
    return B * scale * (sigma - b * sin * (cosM + (b / 4) * (cos * (2 * cosM * cosM - 1) - third)));
  }

  /*
   * Area between a geodesic and the equator in square metres, positive eastwards: the spherical excess on the
   * auxiliary sphere times the authalic radius squared, and Karney's integral (Journal of Geodesy 87, 2013,
   * equations 58-63) with his series to the second order in the ellipsoid's eccentricity.
   */
  function areaUnder({sigma, sinA, cos2A, lambda, u1, u2, start}) {
    const [t1, t2] = [Math.tan(u1 / 2), Math.tan(u2 / 2)];
    const excess = 2 * Math.atan2(Math.tan(lambda / 2) * (t1 + t2), 1 + t1 * t2);
    const k = cos2A * EP2;
    const c0 = 2 / 3 - EP2 / 15 + (4 * EP2 * EP2) / 105 - (1 / 20 - EP2 / 35) * k + (k * k) / 42;
    const c1 = (1 / 180 - EP2 / 315) * k - (k * k) / 252;
    const c2 = (k * k) / 2100;
    const integral = (s) => c0 * Math.cos(s) + c1 * Math.cos(3 * s) + c2 * Math.cos(5 * s);
    const rest = E2 * A * A * Math.sqrt(cos2A) * sinA * (integral(start + sigma) - integral(start));
    return AUTHALIC2 * excess + rest;
  }

  /*
   * One side of a figure: {length, under}. Against GeographicLib: lengths within 0.01 mm up to 1000 km, areas of
   * rings within 0.05 m² at 1 km across and within 1e-7 of themselves above. Without an answer (points all but
   * opposite each other on the globe) both are NaN.
   */
  function segment(from, to) {
    const line = auxiliary(from, to);
    if (line === null) { return {length: NaN, under: NaN}; }
    return line.sigma === 0 ? {length: 0, under: 0} : {length: lengthOf(line), under: areaUnder(line)};
  }

  /* Whether two sides of the ring through `points`, as drawn on the map, cross each other. */
  function crossesItself(points) {
    const turn = (p, q, r) => Math.sign((q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x));
    const n = points.length;
    for (let i = 0; i < n; i += 1) {
      for (let j = i + 2; j < n; j += 1) {
        if (i === 0 && j === n - 1) { continue; } // neighbours
        const [a, b, c, d] = [points[i], points[i + 1], points[j], points[(j + 1) % n]];
        if (turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0) { return true; }
      }
    }
    return false;
  }

  /* Figures of clicked points: length of the open line; perimeter and area (null below three points) closed. */
  function figures(points) {
    let length = 0;
    let under = 0;
    for (let i = 1; i < points.length; i += 1) {
      const side = segment(points[i - 1], points[i]);
      length += side.length;
      under += side.under;
    }
    if (points.length < 3) { return {length, perimeter: null, area: null, crossed: false}; }
    const closing = segment(points[points.length - 1], points[0]);
    const crossed = crossesItself(points.map((p) => L.CRS.EPSG3857.project(p)));
    const area = crossed ? null : Math.abs(under + closing.under);
    return {length, perimeter: length + closing.length, area, crossed};
  }

  // --- Words --------------------------------------------------------------------------------------------------

  const WORDS = {
    zh: {
      title: "量测长度和面积",
      draw: "点击地图加点，双击结束。",
      keys: "键盘：方向键移图，空格加点，回车结束，Esc 退出。",
      done: "已结束。再点地图可重新量测。",
      length: "长度", perimeter: "周长", area: "面积",
      crossed: "边线自相交，不计面积",
      note: "手工点选，仅供参考；以报告所列数值为准。",
      undo: "撤销", finish: "结束", stop: "退出",
      units: {m: "米", km: "公里", m2: "平方米", ha: "公顷", mu: "亩", km2: "平方公里"},
    },
    en: {
      title: "Measure length and area",
      draw: "Click to add points, double-click to finish. ",
      keys: "Keys: arrows pan, space adds, Enter finishes, Esc stops.",
      done: "Finished. Click the map to measure anew.",
      length: "Length", perimeter: "Perimeter", area: "Area",
      crossed: "The outline crosses itself: no area",
      note: "Drawn by hand, for orientation; the report's figures count.",
      undo: "Undo", finish: "Finish", stop: "Stop",
      units: {m: "m", km: "km", m2: "m²", ha: "ha", mu: "mu (亩)", km2: "km²"},
    },
  };
  const UNITS = {
    m: [1, 1], km: [1e-3, 3], // factor from metres or square metres, decimals
    m2: [1, 1], ha: [1e-4, 4], mu: [3 / 2000, 2], km2: [1e-6, 4], // 15 mu are one hectare
  };
  const ROWS = {length: ["m", "km"], perimeter: ["m", "km"], area: ["m2", "ha", "mu", "km2"]};
  const NEAR = 8; // pixels within which a click means the point that is there

  function written(value, unit) {
    const [factor, decimals] = UNITS[unit];
    const form = {minimumFractionDigits: decimals, maximumFractionDigits: decimals};
    return (value * factor).toLocaleString("en", form); // Chinese usage groups by thousands too
  }

  // --- The control --------------------------------------------------------------------------------------------

  function icon() {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 20 20");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path"); // a ruler, aslant
    path.setAttribute("d", "M2.5 13.5 13.5 2.5l4 4-11 11zM5.7 10.3l1.7 1.7M8.4 7.6l2.4 2.4M11.1 4.9l1.7 1.7");
    svg.appendChild(path);
    return svg;
  }

  function button(className, words, parent) {
    const made = L.DomUtil.create("button", className, parent);
    made.type = "button";
    made.setAttribute("role", "button");
    made.textContent = words;
    return made;
  }

  L.Control.GeoplanMeasure = L.Control.extend({
    options: {position: "topleft", lang: "zh", color: "#6a1b9a"},

    onAdd(map) {
      this._words = WORDS[this.options.lang] || WORDS.zh;
      this._points = [];
      this._state = "off"; // off, drawing, done
      const box = L.DomUtil.create("div", "leaflet-bar geoplan-measure");
      this._toggle = button("geoplan-measure-toggle", "", box);
      this._toggle.title = this._words.title;
      this._toggle.setAttribute("aria-label", this._words.title);
      this._toggle.appendChild(icon());
      this._buildPanel(box);
      L.DomEvent.disableClickPropagation(box);
      L.DomEvent.disableScrollPropagation(this._panel);
      L.DomEvent.on(this._toggle, "click", () => (this._state === "off" ? this.start() : this.stop()));
      if (!map.getPane("geoplan-measure")) { map.createPane("geoplan-measure"); }
      this._drawing = L.layerGroup();
      this._style = {
        pane: "geoplan-measure", renderer: L.svg({pane: "geoplan-measure"}),
        interactive: false, color: this.options.color, weight: 3,
      };
      this._show();
      return box;
    },

    onRemove() { this.stop(); },

    /* Begin to measure; the map's own layers hear no click until `stop`. */
    start() {
      if (this._state !== "off") { return this; }
      this._state = "drawing";
      const map = this._map;
      this._veil = L.DomUtil.create("div", "geoplan-measure-veil", map.getContainer());
      this._zoomed = map.doubleClickZoom.enabled();
      map.doubleClickZoom.disable();
      this._drawing.addTo(map);
      map.on(this._mapEvents(), this);
      this._onKey = (event) => this._key(event);
      document.addEventListener("keydown", this._onKey);
      map.getContainer().focus({preventScroll: true});
      this._fit();
      return this._changed();
    },

    /* Take the drawing and the panel away and give the map its clicks back. */
    stop() {
      if (this._state === "off") { return this; }
      this._state = "off";
      this._points = [];
      document.removeEventListener("keydown", this._onKey);
      this._map.off(this._mapEvents(), this);
      if (this._zoomed) { this._map.doubleClickZoom.enable(); }
      this._veil.remove();
      this._drawing.remove();
      this._show();
      this._toggle.focus({preventScroll: true});
      return this;
    },

    /* The last point set is the last one: figures stay until the next click or `stop`. */
    finish() {
      if (this._state !== "drawing" || this._points.length < 2) { return this; }
      this._state = "done";
      return this._changed();
    },

    /* Take the last point back; what was finished is drawn on. */
    undo() {
      if (this._state === "off") { return this; }
      this._state = "drawing";
      this._points.pop();
      return this._changed();
    },

    /* Add a point, a L.LatLng. */
    add(latlng) {
      if (this._state === "off") { return this; }
      if (this._state === "done") {
        this._state = "drawing";
        this._points = [];
      }
      this._points.push(latlng);
      return this._changed();
    },

    _mapEvents() {
      return {click: this._click, dblclick: this.finish, mousemove: this._follow, resize: this._fit};
    },

    /* A double click arrives as two clicks first: the second, on the last point, adds nothing. */
    _click(event) {
      const gap = (point) => this._map.latLngToContainerPoint(point).distanceTo(event.containerPoint);
      const near = (point) => point !== undefined && gap(point) < NEAR;
      const drawing = this._state === "drawing";
      if (drawing && near(this._points[this._points.length - 1])) { return; }
      if (drawing && this._points.length > 2 && near(this._points[0])) { this.finish(); return; }
      if (!drawing && event.originalEvent.detail > 1) { return; } // the end of a double click
      this.add(event.latlng);
    },

    _follow(event) {
      if (this._state === "drawing" && this._points.length && this._band) {
        this._band.setLatLngs([this._points[this._points.length - 1], event.latlng]);
      }
    },

    _key(event) {
      if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || event.target.isContentEditable) { return; }
      if (event.key === "Escape") { this.stop(); return; }
      if (event.target !== this._map.getContainer()) { return; } // a button's own Enter and space
      const act = {
        Enter: () => this.finish(),
        Backspace: () => this.undo(),
        " ": () => this.add(this._map.getCenter()),
      }[event.key];
      if (act) {
        event.preventDefault();
        act();
      }
    },

    _buildPanel(box) {
      const words = this._words;
      this._panel = L.DomUtil.create("div", "geoplan-measure-panel", box);
      this._panel.setAttribute("role", "group");
      this._panel.setAttribute("aria-label", words.title);
      const lines = L.DomUtil.create("p", "geoplan-measure-hint", this._panel);
      this._hint = L.DomUtil.create("span", "", lines);
      this._keys = L.DomUtil.create("span", "geoplan-measure-keys", lines);
      this._keys.textContent = words.keys;
      const list = L.DomUtil.create("dl", "geoplan-measure-figures", this._panel);
      list.setAttribute("aria-live", "polite");
      this._outputs = {};
      for (const [name, units] of Object.entries(ROWS)) {
        const row = L.DomUtil.create("div", `geoplan-measure-${name}`, list);
        L.DomUtil.create("dt", "", row).textContent = words[name];
        this._outputs[name] = units.map((unit) => {
          const output = L.DomUtil.create("dd", "", row);
          output.dataset.figure = `${name}-${unit}`;
          return [unit, output];
        });
        this._outputs[name].row = row;
      }
      this._note = L.DomUtil.create("p", "geoplan-measure-note", this._panel);
      this._note.textContent = words.note;
      const row = L.DomUtil.create("div", "geoplan-measure-buttons", this._panel);
      this._undo = button("", words.undo, row);
      this._finish = button("", words.finish, row);
      L.DomEvent.on(this._undo, "click", () => this.undo());
      L.DomEvent.on(this._finish, "click", () => this.finish());
      L.DomEvent.on(button("", words.stop, row), "click", () => this.stop());
    },

    /* The panel stays inside the map, however small that is. */
    _fit() {
      const size = this._map.getSize();
      const box = this._toggle.getBoundingClientRect();
      const map = this._map.getContainer().getBoundingClientRect();
      const right = /right$/.test(this.options.position);
      const bottom = /^bottom/.test(this.options.position);
      const across = right ? box.left - map.left : size.x - (box.right - map.left);
      const down = bottom ? box.bottom - map.top : size.y - (box.top - map.top);
      this._panel.style.maxWidth = `${Math.max(160, across - 20)}px`;
      this._panel.style.maxHeight = `${Math.max(120, down - 10)}px`;
    },

    _changed() {
      const found = figures(this._points);
      this._show(found);
      this._draw();
      const {length, perimeter, area} = found;
      const finished = this._state === "done";
      this._map.fire("geoplan:measure", {points: this._points.slice(), finished, length, perimeter, area});
      return this;
    },

    _show(found) {
      const on = this._state !== "off";
      const drawing = this._state === "drawing";
      this._panel.hidden = !on;
      this._toggle.setAttribute("aria-pressed", String(on));
      const crossed = Boolean(found && found.crossed);
      this._hint.textContent = crossed ? this._words.crossed : this._words[drawing ? "draw" : "done"];
      this._hint.className = crossed ? "geoplan-measure-warning" : "";
      this._keys.hidden = crossed || !drawing || this._points.length > 0;
      this._note.hidden = this._points.length < 2;
      this._undo.disabled = this._points.length === 0;
      this._finish.disabled = !drawing || this._points.length < 2;
      for (const [name, outputs] of Object.entries(this._outputs)) {
        const value = found && this._points.length > 1 ? found[name] : null;
        outputs.row.hidden = value === null && !(crossed && name === "area"); // the panel covers no more map than it must
        for (const [unit, output] of outputs) {
          const known = value !== null && !Number.isNaN(value);
          output.textContent = `${known ? written(value, unit) : "—"} ${this._words.units[unit]}`;
        }
      }
    },

    _draw() {
      const points = this._points;
      this._drawing.clearLayers();
      const add = (layer) => layer.addTo(this._drawing);
      const dashed = {...this._style, weight: 2, dashArray: "4 5"};
      if (points.length > 2) {
        add(L.polygon(points, {...this._style, stroke: false, fillOpacity: 0.15}));
        add(L.polyline([points[points.length - 1], points[0]], this._state === "done" ? this._style : dashed));
      }
      add(L.polyline(points, this._style));
      for (const point of points) {
        add(L.circleMarker(point, {...this._style, radius: 4, weight: 2, fillColor: "#fff", fillOpacity: 1}));
      }
      this._band = add(L.polyline([], dashed));
    },
  });

  L.Control.GeoplanMeasure.figures = figures;
  L.control.geoplanMeasure = (options) => new L.Control.GeoplanMeasure(options);
})();
