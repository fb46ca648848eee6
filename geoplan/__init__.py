"""Checks proposed boundaries of characteristic towns (特色小镇) against the policies that govern them.

The package holds the domain: boundaries, measurement on the survey's ellipsoid, policies as data, the rules
that judge, and the report. It opens no file but its own policies and catalogues, starts no server and draws
nothing; ``geoplan_layers`` reads the world, ``geoplan_web`` shows it, ``geoplan_api`` is the way in.
"""

__version__ = "0.1.0"
