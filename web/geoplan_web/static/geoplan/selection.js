/*
 * L.control.geoplanSelection: one choice of finding, shared by the map, its address and the page around it.
 *
 *   L.control.geoplanSelection(drawing, {position: "topleft"}).addTo(map);
 *
 * The address chooses: map.html#evidence=<id>,<id> shows pieces, #finding=<anchor> all pieces of a finding. The
 * result page chooses by postMessage {geoplan: "show", hash: "#evidence=…"} and hears {geoplan: "pick", id, findings}
 * when a piece is clicked; both only between pages of one origin. The button goes back to the boundary.
 */
(function () {
  "use strict";

  /* The page that holds this map in a frame, where it is of the same origin. */
  function host() {
    if (window.parent === window) { return null; }
    try {
      return window.parent.document ? window.parent : null;
    } catch (refused) {
      return null;
    }
  }

  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch (malformed) {
      return text;
    }
  }

  /* Ids of the pieces that an address names, or null where it names none. */
  function chosen(hash, drawing) {
    const [key, value] = hash.replace(/^#/, "").split("=");
    if (!value) { return null; }
    if (key === "evidence") { return value.split(",").map(decoded); }
    return key === "finding" ? drawing.evidenceOf(decoded(value)) : null;
  }

  L.Control.GeoplanSelection = L.Control.extend({
    options: {position: "topleft"},

    initialize(drawing, options) {
      L.setOptions(this, options);
      this._drawing = drawing;
    },

    onAdd(map) {
      this._host = host();
      document.documentElement.classList.toggle("geoplan-framed", Boolean(this._host));
      map.invalidateSize({pan: false});
      window.addEventListener("hashchange", () => this._follow());
      window.addEventListener("message", (event) => this._hear(event));
      map.on("geoplan:pick", (event) => this._tell(event));
      for (const link of document.querySelectorAll("a[href^='#finding=']")) {
        link.addEventListener("click", () => { this._follow(link.hash); }); // also when the address stays the same
      }
      return this._button(this._drawing.data.words.home);
    },

    _button(title) {
      const box = L.DomUtil.create("div", "leaflet-bar");
      const button = L.DomUtil.create("button", "geoplan-home", box);
      button.type = "button";
      button.title = title;
      button.setAttribute("aria-label", title);
      L.DomEvent.disableClickPropagation(box);
      L.DomEvent.on(button, "click", () => {
        this._drawing.show([]).home();
        this._tell({id: null, findings: []});
      });
      return box;
    },

    /* What the address chooses, else the boundary. */
    start() {
      this._drawing.home();
      this._follow();
    },

    _follow(hash = window.location.hash) {
      const ids = chosen(hash, this._drawing);
      if (ids) { this._drawing.show(ids); }
      if (hash.startsWith("#evidence=") && ids && ids.length === 1) { this._drawing.tell(ids[0]); }
    },

    _hear({origin, source, data}) {
      if (!this._host || source !== this._host || origin !== window.location.origin) { return; }
      if (data && data.geoplan === "show" && typeof data.hash === "string") { this._follow(data.hash); }
    },

    _tell({id, findings}) {
      if (this._host) { this._host.postMessage({geoplan: "pick", id, findings}, window.location.origin); }
    },
  });

  L.control.geoplanSelection = (drawing, options) => new L.Control.GeoplanSelection(drawing, options);
})();
