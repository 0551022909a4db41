"""What a discriminator is shown in the place of samples."""
