"""The shift: its signed log, and what has changed since somebody left."""
