"""The reference tour as a demo: real media, loopback services, and the example configuration."""
