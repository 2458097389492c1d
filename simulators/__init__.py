"""Plants that are not there: Takes Orders from telex_ingest. Gives Telexes to telex_ingest."""
