"""The plants on paper, one file a branch; plain tables, no behaviour."""
