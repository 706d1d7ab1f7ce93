"""A rule can never match because of an earlier one, or hosts conflict."""

from meshforensics.incidents._declare import Case, Judgement, Test, incident


@incident("route-shadowed", about="A rule can never match because of an earlier one, or hosts conflict.")
def route_shadowed(case: Case) -> Judgement:  # noqa: ARG001 - no test of it is made yet
    """Never more than undetermined: this version makes no test of it, and says so."""
    return Judgement(
        tests=(
            Test(
                name="not-tested",
                role="necessary",
                passed=None,
                text="this version does not test routes and VirtualServices for it",
            ),
        ),
        summary="Not judged by this version.",
    )
