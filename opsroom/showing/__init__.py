"""What people are shown: rows, sentences, the ticker. Pure."""
