"""istiod is slower than it should be, and proxies wait."""

from meshforensics.incidents._declare import Case, Judgement, Test, incident


@incident("control-plane-overload", about="istiod is slower than it should be, and proxies wait.")
def control_plane_overload(case: Case) -> Judgement:  # noqa: ARG001 - no test of it is made yet
    """Never more than undetermined: this version makes no test of it, and says so."""
    return Judgement(
        tests=(
            Test(
                name="not-tested",
                role="necessary",
                passed=None,
                text="this version does not test istiod metrics over time for it",
            ),
        ),
        summary="Not judged by this version.",
    )
