"""Reading the world: uploads, reference layers, towns, facts, demo data."""
