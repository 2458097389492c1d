"""How the room compiles what passes over every reading: as the wire does. Pure."""

from __future__ import annotations

from telex_ingest.compiled import compiled as compiled
