"""Declarative plan and apply for production hotfixes on GitLab."""

__version__ = "0.1.0"
