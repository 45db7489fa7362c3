"""The contract of each bundled plugin, as `archive plugins test NAME` runs it. They need pytest."""
