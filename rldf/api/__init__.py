"""The functions behind `import rldf`: each takes plain arguments and returns a typed record."""
