"""Makers of the demo's media: page images, documents, photos, recordings, reports."""
