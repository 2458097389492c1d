"""The room's constitution: `room.toml`, read, checked and answered line by line."""
