"""Streaming metrics, one module a task."""
