"""Takes a room's folder or its address, running or not. Gives people findings, each with how to mend it."""
