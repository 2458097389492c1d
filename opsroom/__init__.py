"""The room itself: Takes Verdicts from cyberstride. Gives Views to dashboards."""
