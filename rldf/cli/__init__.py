"""The command line: each command reads its options, calls a function of rldf and prints."""
