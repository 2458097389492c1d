"""The viable-system tree: units, births, agreements. Pure."""
