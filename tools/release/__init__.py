"""The parts of the release check."""
