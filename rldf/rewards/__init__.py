"""What a drawn image is worth, given the image to find again."""
