"""What was last read of a SIM line, and its JSON form. It holds no number, ICCID or EID: those are kept encrypted."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any, cast, get_args

from portal_app.domain.sim.sim import NetworkType, SimLine, SimState, SimUsage, TopUp, VoiceOption


@dataclass(frozen=True, slots=True)
class LineSnapshot:
    """A line as the carrier told; `left_mb`, `today_bytes` and `top_ups` are None where they are unknown.

    `told_at` is when its data were read, None where only the line itself was.
    """

    state: SimState = "unknown"
    plan_code: str = ""
    network: NetworkType | None = None
    is_esim: bool = False
    voice: Mapping[VoiceOption, bool] = field(default_factory=dict)
    left_mb: int | None = None
    started_on: date | None = None
    next_plan_code: str = ""
    next_plan_on: date | None = None
    ends_on: date | None = None
    today_bytes: int | None = None
    is_restricted: bool = False
    top_ups: tuple[TopUp, ...] | None = None
    told_at: datetime | None = None

    @classmethod
    def of_line(cls, line: SimLine) -> "LineSnapshot":
        """Return what a line tells of itself; its use and its top-ups are read separately."""
        return cls(
            state=line.state,
            plan_code=line.plan_code,
            network=line.network,
            is_esim=bool(line.eid),
            voice=dict(line.voice),
            left_mb=line.remaining_mb,
            started_on=line.started_on,
            next_plan_code=line.next_plan_code,
            next_plan_on=line.next_plan_on,
            ends_on=line.ends_on,
        )

    def with_usage(self, usage: SimUsage | None) -> "LineSnapshot":
        """Return the snapshot with today's use, unknown where it could not be read."""
        if usage is None:
            return replace(self, today_bytes=None, is_restricted=False)
        return replace(self, today_bytes=usage.today_bytes, is_restricted=usage.is_restricted)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form; references of top-ups are left out."""
        body = asdict(self)
        for name in ("started_on", "next_plan_on", "ends_on"):
            body[name] = _written(body[name])
        body["told_at"] = self.told_at.isoformat() if self.told_at else None
        if self.top_ups is not None:
            body["top_ups"] = [
                {"mb": each.megabytes, "added_on": _written(each.added_on), "expires_on": _written(each.expires_on)}
                for each in self.top_ups
            ]
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "LineSnapshot":
        """Return what `to_json` wrote; fields of another release are left at their defaults."""
        state, network, top_ups = body.get("state"), body.get("network"), body.get("top_ups")
        return cls(
            state=cast(SimState, state) if state in get_args(SimState) else "unknown",
            plan_code=str(body.get("plan_code") or ""),
            network=cast(NetworkType, network) if network in get_args(NetworkType) else None,
            is_esim=bool(body.get("is_esim")),
            voice={name: bool(is_on) for name, is_on in (body.get("voice") or {}).items()},
            left_mb=body.get("left_mb"),
            started_on=_read(body.get("started_on")),
            next_plan_code=str(body.get("next_plan_code") or ""),
            next_plan_on=_read(body.get("next_plan_on")),
            ends_on=_read(body.get("ends_on")),
            today_bytes=body.get("today_bytes"),
            is_restricted=bool(body.get("is_restricted")),
            top_ups=None if top_ups is None else tuple(_top_up(each) for each in top_ups),
            told_at=datetime.fromisoformat(body["told_at"]) if body.get("told_at") else None,
        )


def _top_up(body: Mapping[str, Any]) -> TopUp:
    return TopUp(int(body["mb"]), "", _read(body.get("added_on")), _read(body.get("expires_on")))


def _written(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _read(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
