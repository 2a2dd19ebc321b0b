"""What a found sentence is good for: more pictures, pictures under control, proof of absence."""
