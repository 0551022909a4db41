"""A run's config: composed from YAML and words, finalised, checked, changed, and turned into objects."""
