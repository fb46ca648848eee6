/*
 * L.geoplanSearchMap: the map of a search: suitability, excluded ground by reason, candidates, and why by a click.
 *
 *   L.geoplanSearchMap(data).addTo(map);
 *
 * `data` is what geoplan_web.search_map writes. The cells stand in it once; pictures are drawn from them here, and a
 * click is answered by the service where there is one, else from the cells. Foreign text becomes text nodes alone.
 */
(function () {
  "use strict";

  const PANES = {cells: 350, casing: 445, lines: 450, inner: 455};
  const NO_SUITABILITY = 255;
  const STEPS = 250;
  const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");

  function element(tag, className, text, parent) {
    const made = L.DomUtil.create(tag, className, parent);
    made.textContent = text;
    return made;
  }

  /* Whether the page around this one tells what the caption says. */
  function isFramed() {
    try {
      return window.parent !== window && Boolean(window.parent.document);
    } catch {
      return false;
    }
  }

  function rgb(color) { return [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16)); }

  /* Bytes that were packed by zlib and written in Base64. */
  async function unpacked(text) {
    const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  L.GeoplanSearchMap = L.Class.extend({
    initialize(data) {
      this.data = data;
      this.groups = [];
    },

    addTo(map) {
      this._map = map;
      document.documentElement.classList.toggle("geoplan-framed", isFramed());
      map.invalidateSize({pan: false});
      map.getContainer().setAttribute("role", "main");
      map.getContainer().setAttribute("aria-label", document.title);
      for (const [name, zIndex] of Object.entries(PANES)) { map.createPane(`geoplan-${name}`).style.zIndex = zIndex; }
      const [west, south, east, north] = this.data.cells.box;
      this._bounds = L.latLngBounds([[south, west], [north, east]]);
      this._candidates();
      this._fit(false);
      this._open();
      this._home().addTo(map);
      map.on("click", (event) => this._why(event.latlng));
      map.on("popupclose", () => this._mark && this._mark.remove());
      return this;
    },

    /* Pictures and legend, once the cells are unpacked. */
    async _open() {
      const {cells, words} = this.data;
      try {
        const bytes = await unpacked(cells.packed);
        const count = cells.columns * cells.rows;
        this._which = new Uint16Array(bytes.buffer, 0, count);
        this._suits = bytes.subarray(2 * count);
      } catch {
        element("p", "geoplan-strip", words.old, this._map.getContainer()).setAttribute("role", "status");
        return;
      }
      this._combinations = [...cells.combinations, null];
      this._layers();
      L.control.geoplanLegend(this).addTo(this._map);
    },

    _layers() {
      const {words, reasons, unknown, unscored, ramp, eligible, styles, candidates} = this.data;
      const line = (title, style, count, layer, shown = true) => ({title, styles: [style], count, layer, shown});
      const steps = ramp.map((style, i) => ({...style, title: `${(i / ramp.length).toFixed(1)}–${((i + 1) / ramp.length).toFixed(1)}`}));
      this.groups = [
        {title: words.candidates, layers: [
          line(words.planning, styles.planning, candidates.length, this._planning),
          line(words.construction, styles.construction, candidates.filter((each) => each.construction.length).length, this._construction),
        ].filter(({count}) => count)},
        {title: words.eligible, layers: [
          {title: words.suitability, styles: steps, count: eligible, shown: true, layer: this._picture(this._suitability())},
          ...(this._anyUnscored() ? [line(words.unscored, unscored, "", this._picture(this._unscored(unscored)))] : []),
        ]},
        {title: words.excluded, layers: reasons.map(({bit, title, style, area}) => line(title, style, area, this._picture(this._excluded(bit, style))))},
        {title: words.uncertain, layers: [line(words.unknown, unknown.style, unknown.area, this._picture(this._doubtful(unknown.style)))]},
      ].filter(({layers}) => layers.length);
      for (const {layer} of this.groups.slice(1).flatMap(({layers}) => layers).reverse()) { layer.addTo(this._map); }
    },

    /* Called by the legend. */
    toggle({layer}, shown) { if (shown) { layer.addTo(this._map); } else { layer.remove(); } },

    /* A picture of the cells: `paint(i)` gives [red, green, blue, opacity 0..255] of a cell, or nothing. */
    _picture(paint) {
      const {columns, rows} = this.data.cells;
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [columns, rows];
      const context = canvas.getContext("2d");
      const image = context.createImageData(columns, rows);
      for (let i = 0; i < columns * rows; i += 1) {
        const color = paint(i);
        if (color) { image.data.set(color, 4 * i); }
      }
      context.putImageData(image, 0, 0);
      return L.imageOverlay(canvas.toDataURL(), this._bounds, {pane: "geoplan-cells", className: "geoplan-cells"});
    },

    _suitability() {
      const colors = this.data.ramp.map(({fillColor}) => [...rgb(fillColor), 235]);
      return (i) => {
        const pair = this._combinations[this._which[i]];
        const step = this._suits[i];
        if (!pair || pair[0] || pair[1] || step === NO_SUITABILITY) { return null; }
        return colors[Math.min(colors.length - 1, Math.floor((step / STEPS) * colors.length))];
      };
    },

    /* Eligible ground of which some factor is not known. */
    _isUnscored(i) {
      const pair = this._combinations[this._which[i]];
      return pair && !pair[0] && !pair[1] && this._suits[i] === NO_SUITABILITY;
    },

    _anyUnscored() { return this._suits.some((_, i) => this._isUnscored(i)); },

    _unscored({fillColor}) {
      const color = [...rgb(fillColor), 255];
      return (i) => (this._isUnscored(i) ? color : null);
    },

    _excluded(bit, {fillColor, fillOpacity}) {
      const color = [...rgb(fillColor), Math.round(255 * fillOpacity)];
      return (i) => {
        const pair = this._combinations[this._which[i]];
        return pair && this._has(pair[0], bit) && !this._outside(pair) ? color : null;
      };
    },

    /* Ground of which something is not known, hatched by cells. */
    _doubtful({color}) {
      const painted = [...rgb(color), 230];
      const {columns} = this.data.cells;
      return (i) => {
        const pair = this._combinations[this._which[i]];
        const striped = ((i % columns) + Math.floor(i / columns)) % 3 === 0;
        return pair && pair[1] && !pair[0] && striped ? painted : null;
      };
    },

    _has(bits, bit) { return Math.floor(bits / 2 ** bit) % 2 === 1; },

    _outside([bits]) { return this._has(bits, this.data.reasons.length); },

    // --- Candidates ---------------------------------------------------------------------------------------------

    _candidates() {
      const {candidates, styles, words} = this.data;
      this._planning = L.featureGroup().addTo(this._map);
      this._construction = L.featureGroup().addTo(this._map);
      for (const each of candidates) {
        for (const [group, outline, style, pane] of [
          [this._planning, each.planning, styles.planning, "lines"], [this._construction, each.construction, styles.construction, "inner"],
        ]) {
          if (!outline.length) { continue; }
          L.polygon(outline, {color: "#fff", weight: style.weight + 3, opacity: 0.9, fill: false, interactive: false, pane: "geoplan-casing"}).addTo(group);
          L.polygon(outline, {...style, fill: false, interactive: false, pane: `geoplan-${pane}`}).addTo(group);
        }
        if (each.planning.length) { this._badge(each, words).addTo(this._planning); }
      }
    },

    /* The rank, as a button that tells of the candidate. */
    _badge(each, words) {
      const middle = L.polygon(each.planning).getBounds().getCenter();
      const badge = element("span", "geoplan-rank", String(each.rank));
      const marker = L.marker(middle, {icon: L.divIcon({className: "geoplan-rank-at", html: badge, iconSize: [28, 28]}), title: each.name, alt: each.name, keyboard: true});
      return marker.bindPopup(() => this._told(each, words), {maxWidth: 320});
    },

    _told(each, words) {
      const box = L.DomUtil.create("div", "geoplan-told");
      element("h2", "", `${each.rank} · ${each.name}`, box);
      const list = L.DomUtil.create("dl", "", box);
      for (const [name, value] of each.rows) {
        element("dt", "", name, list);
        element("dd", "", value, list);
      }
      const link = element("a", "geoplan-report", words.report, box);
      Object.assign(link, {href: each.href, target: "_blank", rel: "noopener"});
      return box;
    },

    // --- Why ----------------------------------------------------------------------------------------------------

    async _why(latlng) {
      const popup = L.popup({maxWidth: 340}).setLatLng(latlng);
      popup.setContent(element("p", "geoplan-why", this.data.words.asking));
      popup.openOn(this._map);
      const lines = (await this._asked(latlng)) || this._own(latlng);
      const box = L.DomUtil.create("div", "geoplan-why");
      lines.forEach((line, i) => element(i ? "p" : "h2", "", line, box));
      element("p", "geoplan-quiet", `${latlng.lng.toFixed(6)}°, ${latlng.lat.toFixed(6)}°`, box);
      popup.setContent(box);
    },

    /* What the service says of a point; nothing where there is none, or it does not answer. */
    async _asked({lng, lat}) {
      const {why, lang} = this.data;
      if (!why) { return null; }
      try {
        const answer = await fetch(`${why}?lon=${lng}&lat=${lat}&lang=${lang}`, {headers: {Accept: "application/json"}});
        return answer.ok ? (await answer.json()).says[lang] : null;
      } catch {
        return null;
      }
    },

    /* What the cells of the page say of a point. */
    _own(latlng) {
      const {cells, words, reasons} = this.data;
      const [a, b, at] = [this._bounds.getNorthWest(), this._bounds.getSouthEast(), latlng].map((each) => L.CRS.EPSG3857.project(each));
      const column = Math.floor(((at.x - a.x) / (b.x - a.x)) * cells.columns);
      const row = Math.floor(((at.y - a.y) / (b.y - a.y)) * cells.rows);
      const held = this._which && column >= 0 && row >= 0 && column < cells.columns && row < cells.rows;
      const i = row * cells.columns + column;
      const pair = held ? this._combinations[this._which[i]] : null;
      if (!pair || this._outside(pair)) { return [words.outside]; }
      const titles = (bits) => reasons.filter(({bit}) => this._has(bits, bit)).map(({title}) => `· ${title}`);
      if (pair[0]) { return [words["is-excluded"], ...titles(pair[0])]; }
      if (pair[1]) { return [words["is-unknown"], ...titles(pair[1])]; }
      const step = this._suits[i];
      return [words["is-eligible"], ...(step === NO_SUITABILITY ? [words.unscored] : [`${words.suitability}: ${(step / STEPS).toFixed(2)}`])];
    },

    // --- Moving -------------------------------------------------------------------------------------------------

    _fit(animate) { this._map.fitBounds(this._bounds, {padding: [16, 16], animate: animate && !CALM.matches}); },

    _home() {
      const {home} = this.data.words;
      return new (L.Control.extend({
        options: {position: "topleft"},
        onAdd: () => {
          const box = L.DomUtil.create("div", "leaflet-bar");
          const button = L.DomUtil.create("button", "geoplan-home", box);
          button.type = "button";
          button.title = home;
          button.setAttribute("aria-label", home);
          L.DomEvent.disableClickPropagation(box);
          L.DomEvent.on(button, "click", () => this._fit(true));
          return box;
        },
      }))();
    },
  });

  L.geoplanSearchMap = (data) => new L.GeoplanSearchMap(data);
})();
