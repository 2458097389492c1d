"""Minutes: what the council did, written from the journal alone, as a page for browsers and printers and as a PDF."""
