"""Wrappers around any sink that share its interface."""
