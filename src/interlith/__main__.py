"""`python -m interlith` is the command `interlith`."""

from interlith.cli import main

if __name__ == "__main__":
    main()
