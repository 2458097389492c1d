"""What others can check without trusting the room: its keys and signatures, the tree over its record, commitments."""
