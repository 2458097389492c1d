"""The filter at work for the room: which signal is which row, its last readings, its words as news."""
