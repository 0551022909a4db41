"""What people look at: pictures, sheets of them, renderings of volumes, tables."""
