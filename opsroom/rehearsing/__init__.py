"""Rehearsals and drills: the room as it was against another decision, and the room's own score card. Nothing reaches a plant."""
