"""Does a series grow, and with what: trend tests over samples of one proxy."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Trend:
    """A trend of one measure over time.

    `slope`, `low` and `high` are per hour (Theil-Sen with its 95 % interval); `p` is one-sided, of no growth
    (Mann-Kendall by Kendall's tau against time).
    """

    samples: int
    span_s: float
    first: float
    last: float
    slope: float
    low: float
    high: float
    p: float

    @property
    def rises(self) -> bool:
        """Whether growth is significant: p under 0.01 from 8 samples on, else a lower bound above nothing."""
        return self.p < 0.01 if self.samples >= 8 else self.low > 0


def trend(times: "pd.Series[pd.Timestamp]", values: "pd.Series[float]") -> Trend | None:
    """The trend of `values` at `times`; None with fewer than three distinct instants."""
    from scipy import stats  # noqa: PLC0415 - half a second that only series need

    hours = (times - times.min()).dt.total_seconds().to_numpy(dtype=float) / 3600.0
    measured = values.to_numpy(dtype=float)
    if len(np.unique(hours)) < 3:
        return None
    slope, _, low, high = stats.theilslopes(measured, hours, CONFIDENCE)
    order = stats.kendalltau(hours, measured, alternative="greater")
    p = 1.0 if np.isnan(order.pvalue) else float(order.pvalue)
    return Trend(
        samples=len(measured),
        span_s=float(hours.max() - hours.min()) * 3600.0,
        first=float(measured[0]),
        last=float(measured[-1]),
        slope=float(slope),
        low=float(low),
        high=float(high),
        p=p,
    )


def correlation(left: "pd.Series[float]", right: "pd.Series[float]") -> float:
    """Pearson's r of two series on the same index; 0 where one of them does not vary."""
    both = pd.concat([left, right], axis=1, join="inner").dropna().to_numpy(dtype=float)
    if len(both) < 3 or np.ptp(both[:, 0]) == 0 or np.ptp(both[:, 1]) == 0:
        return 0.0
    return float(np.corrcoef(both[:, 0], both[:, 1])[0, 1])
