"""One file a screen: what stands on it; figures.py draws the rows."""
