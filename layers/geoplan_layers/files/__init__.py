"""Reading files of the user: archives, shapefiles, GeoPackage, GeoJSON, and the text in them."""
