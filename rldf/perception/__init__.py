"""What an image shows, in the words of a grammar."""
