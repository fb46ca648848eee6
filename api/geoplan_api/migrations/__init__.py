"""Changes of the database's schema, oldest first, run by Alembic when the store is opened."""
