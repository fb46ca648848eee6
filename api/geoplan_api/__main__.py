"""``python -m geoplan_api``: the command line."""

from geoplan_api.cli import main

main()
