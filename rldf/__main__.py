"""`python -m rldf` is `rldf`."""

from rldf.cli.main import main

if __name__ == "__main__":
    main()
