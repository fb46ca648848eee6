/*
 * geoplanTile(buffer): a vector tile (Mapbox Vector Tile 2.1) of polygons and lines, decoded.
 *
 *   {name, extent, features: [{id, type, properties, geometry}]} of its first layer, or null of an empty tile
 *
 * `geometry` is a flat list of commands in units of the tile: MOVE x y, LINE x y, CLOSE. Nothing is evaluated.
 */
(function () {
  "use strict";

  const MOVE = 1;
  const LINE = 2;
  const CLOSE = 7;
  const utf8 = new TextDecoder();

  /* Fields of a protocol buffer: calls `take(number, value)` with a number or the bytes of the field. */
  function fields(bytes, take) {
    let at = 0;
    const number = () => {
      let [value, scale] = [0, 1];
      while (at < bytes.length) {
        const byte = bytes[at++];
        value += (byte & 127) * scale;
        if (byte < 128) { break; }
        scale *= 128;
      }
      return value;
    };
    while (at < bytes.length) {
      const key = number();
      const kind = key & 7;
      if (kind === 0) { take(key >>> 3, number()); continue; }
      const length = kind === 2 ? number() : kind === 1 ? 8 : 4;
      take(key >>> 3, bytes.subarray(at, at + length));
      at += length;
    }
  }

  function numbers(bytes) {
    const found = [];
    let [value, scale] = [0, 1];
    for (const byte of bytes) {
      value += (byte & 127) * scale;
      scale *= 128;
      if (byte < 128) {
        found.push(value);
        [value, scale] = [0, 1];
      }
    }
    return found;
  }

  /* Commands with absolute places. */
  function drawn(bytes) {
    const parts = numbers(bytes);
    const found = [];
    let [x, y, i] = [0, 0, 0];
    while (i < parts.length) {
      const command = parts[i] & 7;
      if (command === CLOSE) {
        found.push(CLOSE);
        i += 1;
        continue;
      }
      const last = i + 2 * (parts[i] >>> 3);
      for (i += 1; i <= last; i += 2) {
        x += (parts[i] >>> 1) ^ -(parts[i] & 1);
        y += (parts[i + 1] >>> 1) ^ -(parts[i + 1] & 1);
        found.push(command, x, y);
      }
    }
    return found;
  }

  function valueOf(bytes) {
    let found = null;
    fields(bytes, (number, value) => { found = number === 1 ? utf8.decode(value) : value; });
    return found;
  }

  function featureOf(bytes, keys, values) {
    const feature = {id: 0, type: 0, properties: {}, geometry: []};
    fields(bytes, (number, value) => {
      if (number === 1) { feature.id = value; }
      if (number === 3) { feature.type = value; }
      if (number === 4) { feature.geometry = drawn(value); }
      if (number !== 2) { return; }
      const tags = numbers(value);
      for (let i = 0; i < tags.length; i += 2) { feature.properties[keys[tags[i]]] = values[tags[i + 1]]; }
    });
    return feature;
  }

  function layerOf(bytes) {
    const layer = {name: "", extent: 4096, features: []};
    const [keys, values, features] = [[], [], []];
    fields(bytes, (number, value) => {
      if (number === 1) { layer.name = utf8.decode(value); }
      if (number === 2) { features.push(value); }
      if (number === 3) { keys.push(utf8.decode(value)); }
      if (number === 4) { values.push(valueOf(value)); }
      if (number === 5) { layer.extent = value; }
    });
    layer.features = features.map((each) => featureOf(each, keys, values));
    return layer;
  }

  window.geoplanTile = (buffer) => {
    let layer = null;
    fields(new Uint8Array(buffer), (number, value) => { if (number === 3 && !layer) { layer = layerOf(value); } });
    return layer;
  };
  window.geoplanTile.MOVE = MOVE;
  window.geoplanTile.LINE = LINE;
  window.geoplanTile.CLOSE = CLOSE;
})();
