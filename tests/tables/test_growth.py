"""Growth: trends over a series, and what grows with them."""

from meshforensics.investigation import Investigation
from tests.tables.reading import cells


def test_who_grows_and_who_does_not(leak: Investigation) -> None:
    columns = ("pod", "samples", "first_bytes", "last_bytes", "rises")

    assert cells(leak.over_time("growth"), *columns) == [
        ("seats-v1-c49cvfc48-z44rb", 12, 7834016, 83360576, True),
        ("booking-v1-qkd7rw5nn-rgkqj", 12, 8396408, 93035776, True),
        ("search-v1-8tp7tcpsp-hfbpq", 12, 20742104, 20984976, False),
        ("web-v1-ps5wkm5dt-k66f6", 12, 8697048, 10453696, False),
    ]


def test_requests_that_stay_open_are_told_from_those_that_end(leak: Investigation) -> None:
    shares = {str(pod): share for pod, share in cells(leak.over_time("growth"), "pod", "unfinished_share")}

    assert [pod for pod, share in shares.items() if isinstance(share, float) and share > 0.9] == [
        "seats-v1-c49cvfc48-z44rb",
        "booking-v1-qkd7rw5nn-rgkqj",
    ]


def test_one_sample_has_no_trend(upgrade: Investigation) -> None:
    assert upgrade.frame("growth").empty
