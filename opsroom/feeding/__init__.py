"""What a feed's author and its operator use: a dry run with fates and verdicts, and a scaffold."""
