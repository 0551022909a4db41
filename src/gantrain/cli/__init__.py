"""The commands that you type: training, and one module for each verb."""
