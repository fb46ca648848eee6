"""Polygons that comply by construction: clear of forbidden ground, in one piece, of a wanted size, on a 1 mm grid."""
