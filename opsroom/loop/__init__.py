"""The one loop: everything that comes, tick by tick, judged, decided, written, answered."""
