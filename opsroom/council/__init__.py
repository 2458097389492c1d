"""Seven seats, motions, ballots, orders and what they did. Pure."""
