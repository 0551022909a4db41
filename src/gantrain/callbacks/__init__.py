"""What watches training: pictures, metrics, checkpoints, progress; none of it changes training."""
