"""Reference layers prepared for fast use: an open GeoParquet file, and beside it an index that is mapped, not read."""
