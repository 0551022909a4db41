"""From a run's config to a trained run, and trained networks back."""
