"""Who gets in: people, their accounts and sessions, links and their tokens, the guard at the door."""
