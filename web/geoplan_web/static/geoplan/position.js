/*
 * L.control.geoplanPosition: where the mouse is, in degrees and on the plane of the check.
 *
 *   L.control.geoplanPosition({meridian: 120, words}).addTo(map);
 *
 * The plane is Gauss-Krüger on the CGCS2000 ellipsoid, scale 1, false easting 500 km. As on Chinese sheets, X is
 * north and Y is east.
 */
(function () {
  "use strict";

  const A = 6378137; // CGCS2000: semi-major axis in metres and flattening (GB 22021-2008)
  const F = 1 / 298.257222101;
  const N = F / (2 - F);
  const E = Math.sqrt(F * (2 - F));
  const RAD = Math.PI / 180;
  const FALSE_EASTING = 500000;

  // Krüger's series in the third flattening to its fourth power (Karney, Journal of Geodesy 85, 2011, eq. 35).
  const RADIUS = (A / (1 + N)) * (1 + N ** 2 / 4 + N ** 4 / 64);
  const ALPHA = [
    N / 2 - (2 / 3) * N ** 2 + (5 / 16) * N ** 3 + (41 / 180) * N ** 4,
    (13 / 48) * N ** 2 - (3 / 5) * N ** 3 + (557 / 1440) * N ** 4,
    (61 / 240) * N ** 3 - (103 / 140) * N ** 4,
    (49561 / 161280) * N ** 4,
  ];

  /* North and east in metres of a point in degrees; within 0.1 mm inside a zone of three degrees. */
  function plane({lat, lng}, meridian) {
    const sine = Math.sin(lat * RAD);
    const tau = Math.sinh(Math.atanh(sine) - E * Math.atanh(E * sine));
    const lambda = (lng - meridian) * RAD;
    const xi = Math.atan2(tau, Math.cos(lambda));
    const eta = Math.asinh(Math.sin(lambda) / Math.hypot(tau, Math.cos(lambda)));
    let [north, east] = [xi, eta];
    ALPHA.forEach((alpha, i) => {
      const k = 2 * (i + 1);
      north += alpha * Math.sin(k * xi) * Math.cosh(k * eta);
      east += alpha * Math.cos(k * xi) * Math.sinh(k * eta);
    });
    return {x: RADIUS * north, y: RADIUS * east + FALSE_EASTING};
  }

  L.Control.GeoplanPosition = L.Control.extend({
    options: {position: "bottomright", meridian: 0, words: {east: "", north: "", plane: ""}},

    onAdd(map) {
      this._box = L.DomUtil.create("div", "geoplan-position");
      this._degrees = L.DomUtil.create("span", "", this._box);
      this._metres = L.DomUtil.create("span", "", this._box);
      map.on("mousemove", this._show, this);
      this._show({latlng: map.getCenter()});
      return this._box;
    },

    onRemove(map) { map.off("mousemove", this._show, this); },

    _show({latlng}) {
      const {east, north, plane: name} = this.options.words;
      const {x, y} = plane(latlng, this.options.meridian);
      this._degrees.textContent = `${east} ${latlng.lng.toFixed(6)}° ${north} ${latlng.lat.toFixed(6)}°`;
      this._metres.textContent = `${name} X ${x.toFixed(1)} Y ${y.toFixed(1)}`;
    },
  });

  L.Control.GeoplanPosition.plane = plane;
  L.control.geoplanPosition = (options) => new L.Control.GeoplanPosition(options);
})();
