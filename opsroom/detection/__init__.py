"""`opsroom detect` and `opsroom calibrate`: tables of readings in, judgements and settings out, without a room."""
