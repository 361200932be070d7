"""`interlith` and `python -m interlith`: the command line."""

import signal


def main() -> None:
    """Run the command line. While it is loaded, Ctrl-C ends it without a word; then it is the command's to answer."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from interlith.cli import main as command

    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    command()


if __name__ == "__main__":
    main()
