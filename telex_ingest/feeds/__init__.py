"""The feeds that come with the wire, one file a source."""
