/*
 * L.geoplanLabels: words beside things on the map, none cut off by its edge and none over another.
 *
 *   const labels = L.geoplanLabels(map, () => room);   // the part of the map that nothing covers, L.Bounds in pixels
 *   group.addLayer(labels.label(element, drawn, className));
 *   labels.arrange(first);                             // after what is shown changed; `first` are placed before all
 *
 * A line bears its words where it leaves the boundary, or farther along as far as it is in view; a thing with a place
 * bears them there, or just above or below. What finds no free place is not written.
 */
(function () {
  "use strict";

  const REACH = 260; // metres from a boundary to the words on a line that leaves it
  const ALONG = [0.5, 0.35, 0.65, 0.2, 0.8, 0.05, 0.95];
  const BESIDE = [0, -1, 1, -2, 2];
  const GAP = 4; // pixels between two labels

  const isLine = (drawn) => drawn instanceof L.Polyline && !(drawn instanceof L.Polygon);
  const between = (a, b, part) => a.add(b.subtract(a).multiplyBy(part));

  L.GeoplanLabels = L.Class.extend({
    initialize(map, room) {
      this._map = map;
      this._room = room;
      this._all = [];
      this._first = [];
      map.on("moveend zoomend resize", () => this.arrange());
    },

    /* Words of a thing: a tooltip, to be put on the map with it. */
    label(content, drawn, className) {
      const label = L.tooltip({permanent: true, interactive: false, direction: "center", className});
      label.setContent(content).setLatLng(drawn.getLatLng ? drawn.getLatLng() : drawn.getBounds().getCenter());
      this._all.push({label, drawn});
      return label;
    },

    arrange(first = this._first) {
      this._first = first;
      const room = this._room();
      const taken = [];
      const rank = ({drawn}) => (first.includes(drawn) ? 0 : isLine(drawn) ? 1 : 2);
      const written = this._all.filter(({label}) => this._map.hasLayer(label));
      for (const {label, drawn} of [...written].sort((a, b) => rank(a) - rank(b))) {
        const element = label.getElement();
        const half = L.point(element.offsetWidth, element.offsetHeight).divideBy(2).add([GAP, GAP]);
        const around = (place) => L.bounds(place.subtract(half), place.add(half));
        const free = (place) => room.contains(around(place)) && !taken.some((other) => other.overlaps(around(place)));
        const place = this._places(drawn, room, half).find(free);
        element.style.visibility = place ? "" : "hidden";
        if (!place) { continue; }
        taken.push(around(place));
        label.setLatLng(this._map.containerPointToLatLng(place));
      }
    },

    /* Where words may stand, the best place first. */
    _places(drawn, room, half) {
      const at = (latlng) => this._map.latLngToContainerPoint(latlng);
      if (!isLine(drawn)) {
        const middle = at(drawn.getLatLng ? drawn.getLatLng() : drawn.getBounds().getCenter());
        return BESIDE.map((rows) => middle.add([0, rows * 2 * half.y]));
      }
      const ends = drawn.getLatLngs().flat();
      const [from, to] = [ends[0], ends[ends.length - 1]].map(at);
      const inner = [room.min.add(half), room.max.subtract(half)];
      const fits = inner[0].x < inner[1].x && inner[0].y < inner[1].y; // else clipping would not end
      const seen = fits && L.LineUtil.clipSegment(from, to, L.bounds(inner), false);
      const near = between(from, to, Math.min(0.5, REACH / this._map.distance(ends[0], ends[ends.length - 1])));
      return [near, ...(seen ? ALONG.map((part) => between(seen[0], seen[1], part)) : [])];
    },
  });

  L.geoplanLabels = (map, room) => new L.GeoplanLabels(map, room);
})();
