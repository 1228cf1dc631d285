"""Renderers: text, JSON and pages."""
