"""The command line: each command is a thin function over a plain one."""
