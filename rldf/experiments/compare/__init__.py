"""What a found sentence is worth: the search held against other ways to a prompt."""
