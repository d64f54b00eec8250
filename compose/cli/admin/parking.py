"""`headrace dead-letters park`: one record out of the way, straight at the database, though its
consumer is stuck.
"""

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from compose.cli.admin.consumers import AsJson, with_database
from compose.cli.failure import CommandFailure
from compose.cli.output import OperatedDir, print_json, terminal

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

EPILOG = """
[cyan]headrace consumers show ingest[/]  positions and lag: the record in hand is the one at the position

[cyan]headrace dead-letters park headrace.webhooks 3 88120 --consumer ingest --reason "kills the worker"[/]

The consumer parks it when it comes to it, without handling it: at once after a start, within about five seconds where
it runs and tries again and again. Its class is internal; replay it once the cause is fixed.
"""


def register(dead_letters: typer.Typer) -> None:

    @dead_letters.command(epilog=EPILOG)
    def park(
        topic: Annotated[str, typer.Argument(help="The topic of the record.")],
        partition: Annotated[int, typer.Argument(help="Its partition.", min=0)],
        offset: Annotated[int, typer.Argument(help="Its offset.", min=0)],
        consumer: Annotated[
            str, typer.Option(help="The consumer, or projection.NAME: it skips the record.")
        ],
        reason: Annotated[str, typer.Option(help="Why; it is kept.", max=500)],
        as_json: AsJson = False,
        data_dir: OperatedDir = None,
    ) -> None:
        """Make one record a dead letter without handling it, though its consumer is down or
        stuck.
        """
        from compose.consumer_groups import READERS, live_generation
        from compose.postgres.positions import Positions
        from consumers.log.poison import store
        from consumers.log.poison.store import Subscriber

        if consumer not in READERS:
            raise CommandFailure(f"there is no consumer {consumer!r}; known: {', '.join(READERS)}")
        by = f"{getpass.getuser()}, at the database"
        topics = READERS[consumer].topics

        async def write(pipeline: "AsyncEngine", _kafka: str, prefix: str) -> str:
            whole = prefix + topic.removeprefix(prefix)
            if whole.removeprefix(prefix) not in topics:
                raise CommandFailure(
                    f"{consumer} does not read {topic!r}; it reads {', '.join(topics)}"
                )
            async with pipeline.begin() as tx:
                generation = await live_generation(tx, consumer)
            at = (await Positions(pipeline, consumer, generation).read([(whole, partition)])).get(
                (whole, partition), 0
            )
            if at > offset:
                raise CommandFailure(
                    f"{consumer} has passed it: its position in {whole}[{partition}] is {at}"
                )
            async with pipeline.begin() as tx:
                await store.order(
                    tx, Subscriber(consumer, generation), whole, partition, offset, by, reason
                )
            return whole

        whole = with_database(write, data_dir)
        if as_json:
            print_json(
                {
                    "consumer": consumer,
                    "topic": whole,
                    "partition": partition,
                    "offset": offset,
                    "by": by,
                }
            )
        else:
            terminal().print(f"{consumer} parks {whole}[{partition}]@{offset} when it comes to it")
