"""The wire, both ends of it: Takes Telexes from simulators. Gives Readings to cyberstride."""
