"""The filter's step for numba, in blocks of neighbouring signals: each figure of a block is a row of `rows.LANES` numbers.

The modules bear the names of those whose mathematics they repeat: read `cyberstride.mixture`, `evidence`, `naming`
and `reference` for the reasons. A row is one value (`vector`); what only a few lanes need is done lane by lane. A
lane's bits depend on that lane alone. Imported only where numba is installed.
"""
