"""Repair: the smallest edit of a proposal after which no rule fails, the bound that none can beat, or the conflict."""
