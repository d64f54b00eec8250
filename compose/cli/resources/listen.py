"""`headrace listen`: a source's webhooks, forwarded to a port of this machine."""

from typing import Annotated

import typer

from compose.cli.operator_option import connected
from compose.cli.resources.inputs import moment_of

EPILOG = """
[cyan]headrace listen SOURCE --forward-to http://127.0.0.1:3000/webhooks[/]  each webhook from now on

[cyan]headrace listen SOURCE --forward-to http://127.0.0.1:3000/ --since 1h[/]  those of the last hour first
"""


def register(app: typer.Typer) -> None:

    @app.command(epilog=EPILOG)
    def listen(
        source: Annotated[str, typer.Argument(help="The source's id or name.")],
        forward_to: Annotated[str, typer.Option(help="Where to post each webhook.")],
        since: Annotated[
            str | None,
            typer.Option(help="Begin at this time: RFC 3339, or 90s, 15m, 2h, 7d ago; else now."),
        ] = None,
        retries: Annotated[
            int, typer.Option(min=0, help="How often to try again while nobody listens there.")
        ] = 10,
        as_json: Annotated[
            bool, typer.Option("--json", help="One line of JSON for each delivery.")
        ] = False,
    ) -> None:
        """Forward what a source accepts to a local URL, in order, until Ctrl-C.

        Sends the original body, its content type and the headers that were kept, with
        headrace-event-id and headrace-request-id. An answer with an error is printed, and the
        delivery is not sent again.
        """
        from compose.cli.resources.forwarding import Forwarding

        if not forward_to.startswith(("http://", "https://")):
            raise typer.BadParameter(
                "must begin with http:// or https://", param_hint="--forward-to"
            )
        begin = None if since is None else moment_of(since)
        with connected() as api, Forwarding(api, forward_to, retries, as_json) as forwarding:
            try:
                forwarding.run(api.source(source), begin)
            except KeyboardInterrupt:
                typer.echo(f"forwarded {forwarding.count}", err=True)
