"""What the room keeps: readings and verdicts in blocks, decisions in a chain of events."""
