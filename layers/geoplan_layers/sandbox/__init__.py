"""Reading files of others in processes of their own, which may crash, hang or eat memory without harm to this one.

``session`` is the way in for callers; ``workers`` the pool, ``child`` one process as seen from here, ``worker`` the
same process from inside, ``confine`` its limits, ``wire`` what crosses between them.
"""
