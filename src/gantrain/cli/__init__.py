"""What is typed: training, and one module for each verb."""
