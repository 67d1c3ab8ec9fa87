"""Runs the `openqi` command: `python -m app`."""

from app.cli import app


def main() -> None:
    """The entry point of the installed command."""
    app(prog_name="openqi")


if __name__ == "__main__":
    main()
