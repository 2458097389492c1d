"""Bridges: how an order of the room reaches a foreign plant, once, with its proof checked first and a read-back as receipt."""
