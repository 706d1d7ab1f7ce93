"""Options that several commands have, and the form of their help."""

import click

AT = click.option("--at", metavar="TIME", default="", help="Judge as of this instant (2026-11-23T18:48:12Z).")
WINDOW = click.option("--window", metavar="SPAN", default="", help="Span that rates are judged over, as 15m.")
PROFILE = click.option("--profile", metavar="FILE", default="default", help="default, guide, or a YAML file.")


class Examples(click.Command):
    """A command whose help ends with its examples as they were written."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click calls it so
        """Write the examples."""
        if self.epilog:
            with formatter.section("Examples"):
                for line in self.epilog.strip().splitlines():
                    formatter.write(f"  {line.strip()}\n")
