"""Uses a search result: generates more images, varies one axis, ablates a concept."""
