"""What a cell of a report shows: HTML for the page, Markdown for a postmortem, a line of text."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec

from meshforensics.report._blocks import Content
from meshforensics.report._style import notebook_style
from meshforensics.report._to_html import section_html
from meshforensics.report._to_markdown import section_markdown

P = ParamSpec("P")


@dataclass(frozen=True)
class Section:
    """One section, ready to be shown in a notebook."""

    content: Content

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002 - IPython's
        return {"text/html": self._repr_html_(), "text/markdown": self._repr_markdown_(), "text/plain": str(self)}

    def _repr_html_(self) -> str:
        return f"<style>{notebook_style()}</style>{section_html(self.content)}"

    def _repr_markdown_(self) -> str:
        return section_markdown(self.content)

    def __str__(self) -> str:
        """The section's title."""
        title = self.content.title
        return title if isinstance(title, str) else "".join(getattr(part, "text", "") or str(part) for part in title)

    __repr__ = __str__


def section(made: Callable[P, Content]) -> Callable[P, Section]:
    """Show what a function makes: for sections of ours and of your own notebooks."""

    @wraps(made)
    def show(*args: P.args, **kwargs: P.kwargs) -> Section:
        return Section(made(*args, **kwargs))

    return show
