"""How the world reaches the room: REST, the push to screens, figures for Prometheus."""
