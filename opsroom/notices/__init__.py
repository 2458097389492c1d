"""Notice outside the wall: who is on duty, what is sent to whom and again, mail, webhooks and push."""
