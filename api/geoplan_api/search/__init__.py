"""A search from files to a folder of results: what the command line and the jobs call.

request ─► study.py (files ─► Study) ─► geoplan.search.siting.search ─► results.py (folder, checked again)
└─► why.py reads that folder
"""
