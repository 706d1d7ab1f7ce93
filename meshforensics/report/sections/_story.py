"""The story that a notebook is named after: what the guide tells of it, that nobody else does, and what is public."""

from dataclasses import dataclass

from meshforensics.model import UnknownNameError
from meshforensics.report._blocks import Bullets, Content, Paragraph, Subheading
from meshforensics.report.sections._section import section

UNSOURCED = (
    "Figures as given in the guide; no public source found. They are no thresholds here, and nothing rests on them."
)


@dataclass(frozen=True, kw_only=True)
class Story:
    """One of the guide's three stories: its words, and public incidents of the same mechanism."""

    title: str
    told: str
    doubts: str
    public: tuple[str, ...]


STORIES = {
    "lyft-2019": Story(
        title="The story: Lyft, 2019, as the guide tells it",
        told="A bug of Envoy's HTTP/2 connection pools leaked memory: 50 % of the fleet affected, four hours of "
        "outage; ended by rolling Envoy back and tuning the pools.",
        doubts="Lyft built Envoy and does not use Istio; no account of such an outage was found.",
        public=(
            "envoyproxy/envoy#19761 (2022): sidecars of about 300 MB grew to a limit of 4 GB and were killed.",
            "CVE-2023-35945: the HTTP/2 codec leaked on RST_STREAM followed by GOAWAY; fixed in Envoy 1.26.3.",
            "istio#22939: 69 MB live in a heap of 11.3 GB. Retention, and no leak.",
        ),
    ),
    "booking-2020": Story(
        title="The story: Booking.com, 2020, as the guide tells it",
        told="An upgrade of Istio changed how VirtualServices are validated: intermittent 503 on 30 % of services for "
        "2.1 hours, $2.1M of bookings; ended by rolling configuration back.",
        doubts="The cause is weak: validation at admission refuses new writes, and takes nothing from proxies.",
        public=(
            "istio#15669: a new istiod sent a field that older proxies refuse; only restarted pods broke.",
            "istio#49764: proxies several minor versions behind did not know a filter that istiod sent.",
            "istio#28026: sidecars of 1.5 under a control plane of 1.6 could not connect to changed listeners.",
        ),
    ),
    "shopify-2021": Story(
        title="The story: Shopify, 2021, as the guide tells it",
        told="The renewal of the root CA failed: 67 % of internal calls blocked for 37 minutes; ended by permissive "
        "mode and certificates given out by hand.",
        doubts="No account of a failed mTLS rotation there was found. And 67 % is not what an even split gives: of "
        "pairs at random with a share p moved, 2p(1-p) fail, at most 50 %. More takes a hub, or an expired root.",
        public=(
            "shopify.engineering, 2021-09-30: an old root of Let's Encrypt ended; a near miss between services.",
            "istio#30947, istio#22993: a new root is learnt with the next signing request only.",
            "istio#14516: Citadel's own root of one year was not renewed.",
        ),
    ),
}


@section
def story(of: str) -> Content:
    """What the guide tells of an incident, that its figures have no source, and what is public of its kind.

    Raises:
        UnknownNameError: no such story.
    """
    if of not in STORIES:
        raise UnknownNameError("story", of, STORIES)
    told = STORIES[of]
    return Content(
        anchor="story",
        title=told.title,
        blocks=(
            Paragraph(text=f"{told.told} {UNSOURCED} {told.doubts}"),
            Subheading(text="Public incidents of the same mechanism"),
            Bullets(entries=told.public),
        ),
    )
