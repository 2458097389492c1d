"""The whole room as two pure functions, `decide` and `evolve`, over frozen values."""
