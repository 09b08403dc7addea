"""Writes a run beside other Rafts as a page: out/peers.html.

Always true: the page is one file that loads nothing, and everything in it is
escaped. Needs Debian's python3-jinja2.
"""

from typing import NamedTuple

import jinja2

from bench.measured import Results
from bench.peer_runs import ALL_WORK, PEERS, Peer, Work, rate
from bench.tables import written
from tools import ROOT

_TEMPLATE = ROOT / "bench/page.html"
_OURS = Peer("ours", "ours")


class Bar(NamedTuple):
    """One kind's commands a second; lengths are in % of the longest."""
    side: str    # "ours" or "peer", the CSS class
    label: str
    text: str
    length: float
    start: float  # of the line from the least to the most
    span: float
    ratio: str    # ours to theirs


class Chart(NamedTuple):
    """All kinds at one work."""
    title: str
    bars: list[Bar]


def chart(results: Results, work: Work) -> Chart:
    """Returns the bars of one work, ours first."""
    spreads = {peer: results.spread(work.case(peer.name), "per_second")
               for peer in (_OURS, *PEERS)}
    known = {peer: spread for peer, spread in spreads.items() if spread}
    scale = 100 / max((spread.most for spread in known.values()), default=1)
    bars = []
    for peer, spread in known.items():
        ratio = rate(results, work, peer.name) if peer is not _OURS else None
        bars.append(Bar(
            "ours" if peer is _OURS else "peer", peer.text,
            written(spread.middle, "rate"), round(spread.middle * scale, 2),
            round(spread.least * scale, 2),
            round((spread.most - spread.least) * scale, 2),
            f"ours ×{ratio.middle:.2f}" if ratio else ""))
    return Chart(str(work), bars)


def render(results: Results, machine: str, rounds: int) -> str:
    """Returns the page."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True)
    return environment.from_string(_TEMPLATE.read_text()).render(
        charts=[chart(results, work) for work in ALL_WORK], machine=machine,
        rounds=rounds)
