/*
 * L.geoplanLayerMap: the map of a whole layer: tiles, legend, what lies under the mouse, and the address of a place.
 *
 *   L.geoplanLayerMap(data).addTo(map);
 *
 * `data` is what geoplan_web.layer_map writes. The address is #zoom/latitude/longitude: links lead to a place, and
 * moving the map writes where it is. Foreign text becomes text nodes alone.
 */
(function () {
  "use strict";

  const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");

  function element(tag, className, text, parent) {
    const made = L.DomUtil.create(tag, className, parent);
    made.textContent = text;
    return made;
  }

  /* Zoom and place of an address, or null where it has none that makes sense. */
  function placed(hash) {
    const parts = hash.replace(/^#/, "").split("/").map(Number);
    if (parts.length !== 3 || !parts.every(Number.isFinite)) { return null; }
    const [zoom, lat, lng] = parts;
    return Math.abs(lat) <= 85 && Math.abs(lng) <= 180 ? {zoom: L.Util.formatNum(zoom, 2), lat, lng} : null;
  }

  L.GeoplanLayerMap = L.Class.extend({
    initialize(data) { this.data = data; },

    addTo(map) {
      const {data} = this;
      this._map = map;
      map.getContainer().setAttribute("role", "main");
      map.getContainer().setAttribute("aria-label", document.title);
      const [west, south, east, north] = data.box;
      this._box = L.latLngBounds([[south, west], [north, east]]);
      L.rectangle(this._box, {color: "#767676", weight: 1, dashArray: "4 4", fill: false, interactive: false}).addTo(map);
      this.tiles = L.geoplanTiles(data);
      this.groups = [{title: data.heading, layers: data.legend.map((each) => ({...each, shown: true, styles: [data.styles[each.style]]}))}];
      this._go();
      this.tiles.addTo(map);
      this._strip = element("p", "geoplan-strip", "", map.getContainer());
      this._strip.setAttribute("role", "status");
      this._hint = L.tooltip({className: "geoplan-hint", direction: "right", offset: [12, 0], opacity: 1});
      this.tiles.on("geoplan:over", this._over, this);
      this.tiles.on("geoplan:chosen", this._choose, this);
      this.tiles.on("geoplan:drawn", ({leftOut}) => this._tell(leftOut));
      this.tiles.on("loading", () => { this._failed = false; });
      this.tiles.on("tileerror", () => {
        this._failed = true;
        this._tell(0);
      });
      map.on("zoomend", () => this._tell(0));
      map.on("moveend", () => this._write());
      map.on("mouseout", () => this._hint.remove());
      map.on("popupclose", () => this.tiles.choose(0));
      window.addEventListener("hashchange", () => this._go());
      this._home().addTo(map);
      L.control.geoplanLegend(this).addTo(map);
      this._tell(0);
      return this;
    },

    /* Called by the legend. */
    toggle({style}, shown) { this.tiles.show(style, shown); },

    _go() {
      const place = placed(window.location.hash);
      if (place) { this._map.setView(place, Math.min(Math.max(place.zoom, 2), 22), {animate: false}); } else { this._fit(false); }
    },

    _fit(animate) { this._map.fitBounds(this._box, {padding: [24, 24], animate: animate && !CALM.matches}); },

    _write() {
      const {lat, lng} = this._map.getCenter();
      window.history.replaceState(null, "", `#${this._map.getZoom()}/${lat.toFixed(5)}/${lng.toFixed(5)}`);
    },

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

    /* What the scale does not show is said. */
    _tell(leftOut) {
      const {words} = this.data;
      const lines = [this._failed ? words.failed : "", this.tiles.isDetailed() ? "" : words.afar];
      if (leftOut) { lines.push(words["left-out"].replace("{count}", leftOut.toLocaleString())); }
      this._strip.textContent = lines.filter(Boolean).join(" ");
    },

    /* What is to be told of a feature: class, name, number. */
    _lines({properties}) {
      const {words, titles} = this.data;
      const title = titles[properties.code] || [properties.code, properties.name].filter(Boolean).join(" ");
      const name = properties.name && !title.includes(properties.name) ? properties.name : "";
      return [[words.label, title], [words.name, name], [words.patch, properties.id]].filter(([, value]) => value);
    },

    _over({feature, latlng}) {
      const lines = feature ? this._lines(feature) : [];
      if (!lines.length || this._map.dragging.moving()) { this._hint.remove(); return; }
      const text = lines.map(([, value]) => value).join(" · ");
      this._hint.setContent(element("span", "", text)).setLatLng(latlng);
      if (!this._map.hasLayer(this._hint)) { this._hint.addTo(this._map); }
    },

    _choose({feature, latlng}) {
      this._hint.remove();
      if (!feature) { return; }
      const box = L.DomUtil.create("div", "geoplan-told");
      element("h2", "", this.data.heading, box);
      const list = L.DomUtil.create("dl", "", box);
      for (const [name, value] of this._lines(feature)) {
        element("dt", "", name, list);
        element("dd", "", value, list);
      }
      if (!feature.id) { element("p", "geoplan-quiet", this.data.words.closer, box); }
      L.popup({maxWidth: 320}).setLatLng(latlng).setContent(box).openOn(this._map);
      this.tiles.choose(feature.id);
    },
  });

  L.geoplanLayerMap = (data) => new L.GeoplanLayerMap(data);
})();
