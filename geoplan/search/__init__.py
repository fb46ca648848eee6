"""Where a town could lie: exclusions and suitability on a grid, regions grown from it, and boundaries that comply."""
