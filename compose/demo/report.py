"""What the demo prints: metrics, trend, usage, the journey of a webhook, and the checks."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from compose.cli.output import number, table
from compose.demo.flow import METRIC, Json


def show(console: Console, seen: Json) -> None:
    """Print what was seen as tables, the checks last."""

    def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        shown = table(*columns, right=("value", "baseline", "before", "after"))
        for row in rows:
            shown.add_row(*(escape(cell) for cell in row))
        console.print(f"\n[bold underline]{title}[/]", shown, sep="\n")

    def metrics(label: str, job: Json) -> list[Sequence[str]]:
        model = f"{job['model']['name']} v{job['model']['version']}"
        pairs = [(name, value, job["baseline"].get(name)) for name, value in job["metrics"].items()]
        return [(label, model, name, number(value), number(base)) for name, value, base in pairs]

    trained = [one for one in seen["trainings"] if one["job"]["state"] == "succeeded"]
    rows = [row for one in trained for row in metrics(one["label"], one["job"])]
    columns = ["training", "model", "metric", "value", "baseline"]
    print_table("Metrics on held-out rows, beside the baseline", columns, rows)
    columns = ["version", "value", "baseline"]
    rows = [[number(point[name]) for name in columns] for point in seen["trend"]]
    print_table(f"Trend of demo-wine, {METRIC}", columns, rows)
    usage = [(meter, one["before"], one["after"]) for meter, one in seen["usage"].items()]
    print_table("Usage before and after this run", ("meter", "before", "after"), usage)
    if (journey := seen["journey"]) is not None:
        print_table(
            "Journey of the webhook",
            ("what", "id", "when"),
            [
                ("webhook request", journey["request_id"], ""),
                ("event, and correlation id", journey["event_id"], ""),
                *(
                    (one["type"], one["event_id"], one["time"][11:23])
                    for one in journey["timeline"]
                ),
                ("job", journey["job_id"], ""),
                ("model version", f"{journey['model']} v{journey['version']}", ""),
            ],
        )
    found = seen["checks"]
    rows = [("✓" if one["holds"] else "✗", one["name"], one["detail"]) for one in found]
    print_table("Checks", ("", "check", "seen"), rows)
    held = f"{sum(one['holds'] for one in found)} of {len(found)} checks passed"
    colour = "green" if seen["ok"] else "red"
    console.print(f"\n[bold {colour}]{held}[/], {seen['seconds']:.1f} s")
