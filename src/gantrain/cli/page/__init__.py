"""The page of `gantrain app`: what is asked on it is asked of the verbs."""
