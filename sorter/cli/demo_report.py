"""The demo's report as a person reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sorter.app.throughput import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_MOST_TOLD = 20


def report_text(data: Mapping[str, Any]) -> str:
    """The report's JSON (docs/demo.md) in words and columns."""
    sections = [_head(data), _tally(data), _speed(data), _bins(data), _wrong(data), _faults(data), _mishaps(data)]
    return "\n\n".join("\n".join(lines) for lines in map(list, sections) if lines)


def _head(data: Mapping[str, Any]) -> Iterator[str]:
    source = "sprites" if data["photos"] is None else f"photographs of {data['photos']}"
    whole = "" if data["is_whole"] else "interrupted: "
    yield (
        f"{whole}{_count(data['parts_fed'], 'part')} of {data['parts']} fed; model {data['model']}, {source}, "
        f"seed {data['seed']}, {data['speed']:g} times as fast as life"
    )
    seen = data["bricks_seen_in_training"]
    if seen:
        yield (
            f"{_count(len(seen), 'brick')} on these photographs the model was trained on: of those the numbers say "
            "nothing of parts that it never saw"
        )


def _tally(data: Mapping[str, Any]) -> Iterator[str]:
    misrouted, rejected = data["misrouted_interval"], data["rejected_interval"]
    known = _interval(misrouted, "of the known parts that were sorted")
    yield f"  sorted          {data['sorted']:6}"
    yield f"    misrouted     {data['misrouted']:6}   {known}"
    if data["unknown_fed"]:
        yield f"    unknown       {data['unknown_accepted']:6}   of {_count(data['unknown_fed'], 'unknown part')}"
    yield f"  rejected        {data['rejected']:6}   {_interval(rejected, 'of the known parts')}"
    if data["unknown_rejected"]:
        yield f"    unknown       {data['unknown_rejected']:6}   besides, where they belong"
    if data["recirculated"]:
        yield f"  fed again       {data['recirculated']:6}   as several lay there at once; counted where they ended"
    if data["returned_to_hopper"]:
        yield f"  in the hopper   {data['returned_to_hopper']:6}   to be fed again when it ended"
    if data["taken"]:
        yield f"  taken           {data['taken']:6}   by hand; the records say that they are in no bin"
    if data["missing"]:
        yield f"  missing         {data['missing']:6}   the records say that nobody knows where they are"
    if data["unseen"]:
        yield f"  never seen      {data['unseen']:6}   gone from the table before they could have a row"
    if data["astray"]:
        yield f"  astray          {data['astray']:6}   because of a fault not where the records say"
    yield f"  lost            {data['lost']:6}"
    yield f"  counted twice   {data['double_counted']:6}"
    if data["sharing_a_row"]:
        yield f"  seen as one     {data['sharing_a_row']:6}   with another part that they touched"


def _speed(data: Mapping[str, Any]) -> Iterator[str]:
    reached, bound = data["parts_per_minute"], data["parts_per_minute_bound"]
    if reached is None:
        return
    text = f"{reached:.1f} parts a minute"
    if bound is not None:
        text += f"; mechanics and exposure would allow {bound:.1f} ({data['bound_share']:.0%})"
    if data["host_share"] is not None:
        text += f"; the host's own share {data['host_share']:.1%}"
    yield text
    yield "  seconds of  " + "".join(f"{stage:>9}" for stage in STAGES)
    yield "  taken       " + "".join(f"{data['stage_s'].get(stage, 0.0):9.3f}" for stage in STAGES)
    yield "  at least    " + "".join(f"{data['bound_s'].get(stage, 0.0):9.3f}" for stage in STAGES)


def _bins(data: Mapping[str, Any]) -> Iterator[str]:
    filled = {name: share for name, share in data["purity"].items() if share["of"]}
    if not filled:
        return
    width = max(12, *(len(name) for name in filled))
    yield f"  {'bin':<{width}}   parts   right"
    for name, share in filled.items():
        yield (
            f"  {name:<{width}}  {share['of']:6}  {share['share']:6.1%}   ({share['low']:.1%} to {share['high']:.1%})"
        )


def _wrong(data: Mapping[str, Any]) -> Iterator[str]:
    wrong = data["wrong"]
    for part in wrong[:_MOST_TOLD]:
        sure = "" if part["probability"] is None else f", taken for {part['taken_for']} at {part['probability']:.1%}"
        yield f"  part {part['part']}: {_named(part)} in {part['bin']}{sure}, {part['views']} views"
    yield from _more(wrong)


def _faults(data: Mapping[str, Any]) -> Iterator[str]:
    faults = data["faults"]
    if not faults:
        return
    width = max(map(len, faults))
    yield f"  {'fault':<{width}}  injected   found  by the rig  by choice  wrong bin  unnoticed"
    sums = dict.fromkeys(next(iter(faults.values())), 0)
    for name, count in faults.items():
        yield _fault_line(name, count, width)
        sums = {key: sums[key] + count[key] for key in sums}
    yield _fault_line("all", sums, width)


def _fault_line(name: str, count: Mapping[str, int], width: int) -> str:
    return (
        f"  {name:<{width}}  {count['injected']:8}  {count['found']:6}  {count['recovered_by_rig']:10}  "
        f"{count['recovered_by_choice']:9}  {count['wrong_bin']:9}  {count['unnoticed']:9}"
    )


def _mishaps(data: Mapping[str, Any]) -> Iterator[str]:
    for part in data["lost_parts"][:_MOST_TOLD]:
        yield f"  LOST: part {part['part']}: {_named(part)} {part['why']}"
    yield from _more(data["lost_parts"])
    if data["double_counting_rows"]:
        yield f"  ROWS THAT COUNT A PART TOO MANY: {', '.join(map(str, data['double_counting_rows'][:_MOST_TOLD]))}"
    for key, what in (("rows_too_many", "rows for parts that had one"), ("rows_of_nothing", "rows where nothing lay")):
        if data[key]:
            yield f"  {what}: {', '.join(map(str, data[key][:_MOST_TOLD]))}"
    for part in data["unexplained_parts"][:_MOST_TOLD]:
        yield f"  unexplained: part {part['part']}: {_named(part)} {part['why']}"
    yield from _more(data["unexplained_parts"])
    for part in data["elsewhere_parts"][:_MOST_TOLD]:
        yield f"  {part['because_of']}: part {part['part']}: {_named(part)} {part['why']}"
    yield from _more(data["elsewhere_parts"])
    for text in data["collisions"][:_MOST_TOLD]:
        yield f"  COLLISION: {text}"
    if data["incidents"]:
        yield f"  incidents: {_kinds(data['incidents'])}"
    if data["unexplained_incidents"]:
        yield f"  of these without a fault to blame: {_kinds(data['unexplained_incidents'])}"


def _kinds(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))


def _more(told: Sequence[object]) -> Iterator[str]:
    if len(told) > _MOST_TOLD:
        yield f"  and {len(told) - _MOST_TOLD} more"


def _named(part: Mapping[str, Any]) -> str:
    name = part["class"] or f"unknown {part['design']}"
    details = [each for each in (part["brick"], part["pose"]) if each]
    return f"{name} ({', '.join(details)})" if details else name


def _interval(share: Mapping[str, Any], of: str) -> str:
    if share["share"] is None:
        return ""
    over = ", over bricks" if share["method"] == "bricks" else ""
    return f"{share['share']:.2%} {of} (95 %: {share['low']:.2%} to {share['high']:.2%}{over})"


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
