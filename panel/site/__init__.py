"""What surrounds every page: status bar, palette, shortcuts, the templates' environment, middleware, error pages.

Read status_bar.py first."""
