"""What people look at: Folium maps, pages, vendored assets."""
