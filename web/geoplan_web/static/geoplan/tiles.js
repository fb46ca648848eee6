/*
 * L.geoplanTiles: a whole reference layer on the map, drawn on canvas from vector tiles.
 *
 *   L.geoplanTiles({url, deepest, detailFrom, styles, classes, other}).addTo(map);
 *
 * `url` has {z}, {x} and {y}. `classes` gives the place in `styles` of each class code, `other` that of any other.
 * Fires "geoplan:drawn" with {leftOut} when all tiles in view are there, "geoplan:over" and "geoplan:chosen" with
 * {feature, latlng} (feature null where there is none). A tile of 512 pixels at zoom z + 1 is tile z of the layer.
 */
(function () {
  "use strict";

  const SIDE = 512;
  const LINES = 2;
  const POLYGON = 3;
  const NEAR = 5; // pixels within which a line is pointed at
  const CHOSEN = {stroke: "#0b3d91", casing: "#ffffff"};
  const {MOVE, LINE} = window.geoplanTile;

  /* A feature's outline in pixels, and its box. */
  function outlined({geometry}, scale) {
    const path = new Path2D();
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = 0; i < geometry.length;) {
      const command = geometry[i];
      if (command !== MOVE && command !== LINE) {
        path.closePath();
        i += 1;
        continue;
      }
      const [x, y] = [geometry[i + 1] * scale, geometry[i + 2] * scale];
      if (command === MOVE) { path.moveTo(x, y); } else { path.lineTo(x, y); }
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
      i += 3;
    }
    return {path, box};
  }

  /* Parallel lines as a fill: one stripe, repeated and turned; `corner` is the tile's, so that lines run on. */
  function hatched(context, hatch, corner) {
    const size = Math.max(2, Math.round(2 * (hatch.weight + hatch.spaceWeight)));
    const tile = document.createElement("canvas");
    tile.width = tile.height = size;
    const paint = tile.getContext("2d");
    if (hatch.spaceOpacity) {
      paint.globalAlpha = hatch.spaceOpacity;
      paint.fillStyle = hatch.spaceColor;
      paint.fillRect(0, 0, size, size);
      paint.globalAlpha = 1;
    }
    paint.fillStyle = hatch.color;
    paint.fillRect(0, 0, size, 2 * hatch.weight);
    const pattern = context.createPattern(tile, "repeat");
    const turn = (hatch.angle * Math.PI) / 180;
    const across = {x: -Math.sin(turn), y: Math.cos(turn)};
    const begun = (corner.x * across.x + corner.y * across.y) % (size / 2);
    pattern.setTransform(new DOMMatrix().translate(-begun * across.x, -begun * across.y).rotate(hatch.angle).scale(0.5));
    return pattern;
  }

  L.GeoplanTiles = L.GridLayer.extend({
    options: {tileSize: SIDE, minZoom: 1, updateWhenZooming: false, keepBuffer: 1, pane: "overlayPane"},

    initialize(data, options) {
      L.setOptions(this, {...options, maxNativeZoom: data.deepest + 1, maxZoom: 22});
      this.data = data;
      this.hidden = new Set(); // places of styles that are not shown
      this._probe = document.createElement("canvas").getContext("2d");
      this.on("tileunload", ({tile}) => tile.geoplan && tile.geoplan.stop.abort());
      this.on("load", () => this._count());
    },

    onAdd(map) {
      L.GridLayer.prototype.onAdd.call(this, map);
      map.on("mousemove", this._over, this);
      map.on("click", this._click, this);
    },

    onRemove(map) {
      map.off("mousemove", this._over, this);
      map.off("click", this._click, this);
      L.GridLayer.prototype.onRemove.call(this, map);
    },

    /* Whether single patches are drawn at the map's zoom. */
    isDetailed() { return this._map.getZoom() - 1 >= this.data.detailFrom; },

    show(style, shown) {
      if (shown) { this.hidden.delete(style); } else { this.hidden.add(style); }
      this._paintAll();
    },

    /* Mark a patch by its id; none takes the mark away. */
    choose(id) {
      this._chosen = id;
      this._paintAll();
    },

    createTile(coords, done) {
      const canvas = document.createElement("canvas");
      const density = Math.min(window.devicePixelRatio || 1, 2);
      canvas.width = canvas.height = SIDE * density;
      canvas.geoplan = {stop: new AbortController(), features: [], density, leftOut: 0, z: coords.z - 1, corner: coords.scaleBy(L.point(SIDE, SIDE))};
      this._load(canvas, coords).then(() => done(null, canvas), (wrong) => done(wrong, canvas));
      return canvas;
    },

    async _load(canvas, {x, y, z}) {
      const held = canvas.geoplan;
      const columns = 2 ** (z - 1);
      const address = L.Util.template(this.data.url, {x: ((x % columns) + columns) % columns, y, z: z - 1});
      const answer = await fetch(address, {signal: held.stop.signal});
      if (!answer.ok) { throw new Error(`${answer.status}`); }
      held.leftOut = Number(answer.headers.get("Geoplan-Left-Out") || 0);
      const layer = answer.status === 204 ? null : window.geoplanTile(await answer.arrayBuffer());
      if (!layer) { return; }
      const scale = SIDE / layer.extent;
      held.features = layer.features.map((each) => ({...each, ...outlined(each, scale), style: this._styleOf(each)}));
      this._paint(canvas);
    },

    _styleOf({properties}) {
      const known = this.data.classes[properties.code || ""];
      return known === undefined ? this.data.other : known;
    },

    _paintAll() { for (const {el} of Object.values(this._tiles)) { this._paint(el); } },

    /* Styles from below: what comes first in the legend lies on top. */
    _paint(canvas) {
      const {features, density, z, corner} = canvas.geoplan;
      const context = canvas.getContext("2d");
      context.setTransform(density, 0, 0, density, 0, 0);
      context.clearRect(0, 0, SIDE, SIDE);
      const single = z >= this.data.detailFrom;
      for (let i = this.data.styles.length - 1; i >= 0; i -= 1) {
        const several = features.filter((each) => each.style === i);
        if (several.length && !this.hidden.has(i)) { this._layer(context, several, this.data.styles[i], {single, z, corner}); }
      }
      const chosen = this._chosen ? features.filter(({id}) => id === this._chosen) : [];
      for (const {path} of chosen) {
        for (const [strokeStyle, lineWidth] of [[CHOSEN.casing, 6], [CHOSEN.stroke, 3]]) {
          Object.assign(context, {strokeStyle, lineWidth, lineJoin: "round"}).stroke(path);
        }
      }
    },

    _layer(context, several, style, {single, z, corner}) {
      const areas = new Path2D();
      const lines = new Path2D();
      for (const {path, type} of several) { (type === POLYGON ? areas : lines).addPath(path); }
      if (style.hatch && single) {
        context.globalAlpha = style.fillOpacity === undefined ? 1 : style.fillOpacity;
        context.fillStyle = hatched(context, style.hatch, corner);
        context.fill(areas);
      } else if (style.fill) {
        context.globalAlpha = style.hatch ? style.hatch.spaceOpacity || 0.4 : style.fillOpacity;
        context.fillStyle = style.hatch ? (style.hatch.spaceOpacity ? style.hatch.spaceColor : style.color) : style.fillColor;
        context.fill(areas);
      }
      context.globalAlpha = 1;
      const width = style.weight * (single ? Math.min(1, 0.4 + Math.max(0, z - 12) * 0.2) : 0);
      context.strokeStyle = style.color;
      context.lineJoin = "round";
      context.setLineDash((style.dashArray || "").split(" ").filter(Boolean).map(Number));
      context.lineWidth = width;
      if (width) { context.stroke(areas); }
      context.lineWidth = Math.max(style.weight, 1);
      context.stroke(lines);
      context.setLineDash([]);
    },

    /* What lies under a place: the feature that was drawn last there. */
    at(latlng) {
      const zoom = this._tileZoom;
      if (zoom === undefined) { return null; }
      const point = this._map.project(latlng, zoom);
      const cell = point.divideBy(SIDE).floor();
      const tile = this._tiles[`${cell.x}:${cell.y}:${zoom}`];
      if (!tile || !tile.el.geoplan) { return null; }
      const {x, y} = point.subtract(cell.multiplyBy(SIDE));
      this._probe.lineWidth = 2 * NEAR;
      const order = tile.el.geoplan.features.filter((each) => !this.hidden.has(each.style)).sort((a, b) => a.style - b.style);
      return order.find((each) => this._holds(each, x, y)) || null;
    },

    _holds({path, box, type}, x, y) {
      const reach = type === LINES ? NEAR : 0;
      if (x < box[0] - reach || x > box[2] + reach || y < box[1] - reach || y > box[3] + reach) { return false; }
      return type === LINES ? this._probe.isPointInStroke(path, x, y) : this._probe.isPointInPath(path, x, y, "evenodd");
    },

    _over({latlng}) {
      if (this._asked) { return; }
      this._asked = requestAnimationFrame(() => {
        this._asked = 0;
        if (this._map) { this.fire("geoplan:over", {feature: this.at(latlng), latlng}); }
      });
    },

    _click({latlng}) { this.fire("geoplan:chosen", {feature: this.at(latlng), latlng}); },

    _count() {
      const shown = Object.values(this._tiles).filter(({current, el}) => current && el.geoplan);
      this.fire("geoplan:drawn", {leftOut: shown.reduce((sum, {el}) => sum + el.geoplan.leftOut, 0)});
    },
  });

  L.geoplanTiles = (data, options) => new L.GeoplanTiles(data, options);
})();
