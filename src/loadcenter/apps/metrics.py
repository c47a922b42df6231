"""`/metrics`: how the server itself is doing, in OpenMetrics text. It holds no readings."""

from collections.abc import Iterable, Mapping

from loadcenter.adapters.mqtt.link import MqttLink
from loadcenter.adapters.web.live import Hub
from loadcenter.services.dispatch import Dispatch
from loadcenter.services.fleet import Fleet
from loadcenter.services.ingest import Ingest
from loadcenter.services.ports import LinkState
from loadcenter.services.retention import Retention


def render_metrics(
    fleet: Fleet,
    ingest: Ingest,
    dispatch: Dispatch,
    hub: Hub,
    records: MqttLink,
    control: MqttLink,
    retention: Retention,
    database_away: str,
) -> str:
    """Return the text of `/metrics`; `database_away` says why the database cannot be used, empty while it can."""
    counts = ingest.counts
    online = sum(1 for twin in fleet.twins().values() if twin.online)
    refused = dict(counts.refused)
    for reason, number in fleet.counts.refused.items():
        refused[reason] = refused.get(reason, 0) + number
    lines = [
        *_metric("loadcenter_records", "counter", "records stored", counts.records),
        *_metric(
            "loadcenter_record_duplicates", "counter", "records that were stored already", counts.duplicates
        ),
        *_metric(
            "loadcenter_records_ahead", "counter", "records that came before a missing one", counts.ahead
        ),
        *_family("loadcenter_refused", "counter", "payloads not understood", "reason", refused),
        *_metric("loadcenter_transactions", "counter", "transactions of records", counts.transactions),
        *_metric("loadcenter_store_retries", "counter", "transactions tried again", counts.retries),
        *_metric(
            "loadcenter_store_pauses", "counter", "times that records waited for the database", counts.pauses
        ),
        *_metric(
            "loadcenter_database_up",
            "gauge",
            "whether the database can be used",
            int(not database_away),
        ),
        *_family(
            "loadcenter_rows_forgotten", "counter", "rows deleted by retention", "tier", retention.forgotten
        ),
        *_family(
            "loadcenter_link_up",
            "gauge",
            "whether a connection to the broker is up",
            "link",
            {"records": int(records.state is LinkState.UP), "control": int(control.state is LinkState.UP)},
        ),
        *_metric(
            "loadcenter_control_dropped", "counter", "live messages dropped when too many", control.dropped
        ),
        *_metric(
            "loadcenter_commands_lost", "counter", "changes of commands not kept", dispatch.journal_lost
        ),
        *_metric("loadcenter_pdus", "gauge", "registered PDUs", len(fleet.twins())),
        *_metric("loadcenter_pdus_online", "gauge", "connected PDUs", online),
        *_metric("loadcenter_live_clients", "gauge", "open pages", hub.clients),
        "# EOF",
    ]
    return "\n".join(lines) + "\n"


def _metric(name: str, kind: str, text: str, value: int) -> Iterable[str]:
    suffix = "_total" if kind == "counter" else ""
    return (f"# HELP {name} {text}", f"# TYPE {name} {kind}", f"{name}{suffix} {value}")


def _family(name: str, kind: str, text: str, label: str, values: Mapping[str, int]) -> Iterable[str]:
    suffix = "_total" if kind == "counter" else ""
    samples = (f'{name}{suffix}{{{label}="{key}"}} {value}' for key, value in sorted(values.items()))
    return (f"# HELP {name} {text}", f"# TYPE {name} {kind}", *samples)
