"""The command line: `headrace`."""

import typer

from compose.cli.lazy import LazyGroup, Listed

STACK, USE, RUN = "The stack on this machine", "Use it", "Run it on a cluster"
EPILOG = """
[bold]From nothing to a model[/]

[cyan]headrace up --detach[/]  starts PostgreSQL, Kafka, the API and the workers

[cyan]headrace datasets upload wine.csv --name wine --wait[/]  checks it, and says what was found

[cyan]headrace jobs start --dataset wine --target cultivar --model wine --wait[/]  trains, and shows progress

[cyan]headrace trends --model wine[/]  how it does, version by version

[cyan]eval "$(headrace env)"[/]  and curl -H "Authorization: Bearer $HEADRACE_API_KEY" $HEADRACE_API_URL/v1/jobs works

[cyan]headrace demo[/]  all of it at once, with real data, every figure checked

Every command that answers has [cyan]--json[/]. Exit status: 0 done, 1 it failed, 2 it was misused.
"""
COMMANDS = {
    "up": Listed(
        "compose.cli.process.stack",
        "Start PostgreSQL, Kafka, the API and all workers on this machine.",
        STACK,
    ),
    "down": Listed(
        "compose.cli.process.stack",
        "Stop the stack and wait until everything has ended. Data stays.",
        STACK,
    ),
    "status": Listed(
        "compose.cli.process.stack",
        "Show whether the stack runs, where it listens, how often each process restarted, and "
        "what waits.",
        STACK,
    ),
    "demo": Listed(
        "compose.cli.process.demo",
        "Train real models through every part of the running stack, and check each figure.",
        STACK,
    ),
    "env": Listed(
        "compose.cli.process.env",
        "Print the addresses and the key for the shell that you are in.",
        STACK,
    ),
    "logs": Listed(
        "compose.cli.process.logs",
        "Show what the processes of the stack on this machine logged, also after it has stopped.",
        STACK,
    ),
    "doctor": Listed(
        "compose.cli.process.doctor", "Say what is wrong, and where each setting comes from.", STACK
    ),
    "sources": Listed(
        "compose.cli.resources.sources", "Who may send webhooks, and what becomes of them.", USE
    ),
    "send": Listed(
        "compose.cli.resources.send", "Send a webhook, signed as the source's provider signs.", USE
    ),
    "requests": Listed(
        "compose.cli.resources.requests",
        "What was delivered to the sources, and what became of it.",
        USE,
    ),
    "listen": Listed(
        "compose.cli.resources.listen",
        "Forward what a source accepts to a local URL, in order, until Ctrl-C.",
        USE,
    ),
    "events": Listed(
        "compose.cli.resources.events", "The log of every event, as it is on Kafka.", USE
    ),
    "datasets": Listed(
        "compose.cli.resources.datasets", "Upload datasets, and see what validation found.", USE
    ),
    "jobs": Listed(
        "compose.cli.resources.jobs", "Start training jobs, watch them, cancel them.", USE
    ),
    "models": Listed("compose.cli.resources.models", "Models, their versions and files.", USE),
    "trends": Listed(
        "compose.cli.resources.trends",
        "Show how each model does, version by version, beside its baseline.",
        USE,
    ),
    "usage": Listed(
        "compose.cli.resources.usage", "Show what was used, per meter and day or month.", USE
    ),
    "dead-letters": Listed(
        "compose.cli.resources.dead_letters", "What could not be handled, and why.", USE
    ),
    "replays": Listed(
        "compose.cli.resources.replays",
        "Handle dead letters and requests once more, each with its outcome.",
        USE,
    ),
    "api": Listed(
        "compose.cli.process.processes",
        "Serve HTTP: webhooks, commands and reads, on HEADRACE_API_URL.",
        RUN,
    ),
    "relay": Listed(
        "compose.cli.process.processes",
        "Send accepted events to Kafka. Several may run: one is the leader, the others wait.",
        RUN,
    ),
    "worker": Listed(
        "compose.cli.process.processes",
        "Run consumers: ingest, training, finalization, billing.",
        RUN,
    ),
    "projections": Listed(
        "compose.cli.process.processes", "Keep the read models: jobs, metric_trends, usage.", RUN
    ),
    "sweeper": Listed(
        "compose.cli.admin.sweeper",
        "Remove what is older than its time, and make the coming days' partitions. Several may "
        "run: one is the leader.",
        RUN,
    ),
    "consumers": Listed(
        "compose.cli.admin.consumers",
        "Who consumes (projections too), how far behind, and who is paused.",
        RUN,
    ),
    "migrate": Listed(
        "compose.cli.admin.setup", "Bring the database's schema up to date, as headrace_owner.", RUN
    ),
    "topics": Listed(
        "compose.cli.admin.topics",
        "Make the topics that are missing, and check those that are there.",
        RUN,
    ),
    "contracts": Listed(
        "compose.cli.process.contracts",
        "Show or write the contract of the events: JSON Schemas, AsyncAPI, a reference.",
        RUN,
    ),
    "admin": Listed("compose.cli.admin.setup", "Set-up that needs more than an API key.", RUN),
}
"""Every command by name. A test compares these texts with the commands' own."""


class Commands(LazyGroup):
    """The group of all commands, each imported when it is called."""

    listed = COMMANDS


app = typer.Typer(cls=Commands, no_args_is_help=True, epilog=EPILOG, pretty_exceptions_enable=False)


@app.callback()
def begin() -> None:
    """Webhooks and datasets in; trained models, their trends and usage out."""
    from compose.cli.unknown_settings import warn

    warn()


def main() -> None:
    app(prog_name="headrace")
