"""Vector tiles of a prepared layer (Mapbox Vector Tile 2.1), straight from the arrays of its index."""
