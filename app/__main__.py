"""Runs the `openqi` command: `python -m app`."""

from app.kit.loading import loading


def main() -> None:
    """The entry point of the installed command."""
    with loading():
        from app.cli import app
    app(prog_name="openqi")


if __name__ == "__main__":
    main()
