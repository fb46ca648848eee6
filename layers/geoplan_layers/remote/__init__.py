"""Layers that lie in an office's database or object storage: copied into a file, then imported like any other file.

Nothing is read live, since a report has to be replayable; and only what the operator's settings name is read at all.
"""
