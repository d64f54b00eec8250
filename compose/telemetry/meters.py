"""The meters of one process: the OpenTelemetry SDK, read as Prometheus text and, where asked
for, sent by OTLP.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Histogram, Observation
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from prometheus_client import CollectorRegistry, generate_latest

from compose.telemetry.catalogue import METRICS, SECONDS, Metric

OTLP = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")


class Meters:
    """One instrument for each metric of the catalogue, and no other."""

    def __init__(self, readers: Sequence[MetricReader] = ()) -> None:
        self.registry = CollectorRegistry()
        prometheus = PrometheusMetricReader(registry=self.registry, scope_info_enabled=False)
        self._provider = MeterProvider(
            [prometheus, *readers],
            Resource.create({SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME", "headrace")}),
            AlwaysOffExemplarFilter(),
        )
        meter = self._provider.get_meter("headrace")
        # Counted here and looked at when somebody reads: a tenth of what the SDK's own counter
        # costs each time.
        self._counts: dict[str, defaultdict[tuple[str, ...], int]] = {}
        self._histograms: dict[str, Histogram] = {}
        self._shown: dict[str, tuple[Observation, ...]] = {}
        for one in METRICS:
            match one.kind:
                case "counter":
                    self._counts[one.name] = defaultdict(int)
                    meter.create_observable_counter(
                        one.name, [partial(self._counted, one)], one.unit, one.what
                    )
                case "histogram":
                    self._histograms[one.name] = meter.create_histogram(
                        one.name, one.unit, one.what, explicit_bucket_boundaries_advisory=SECONDS
                    )
                case "gauge":
                    meter.create_observable_gauge(
                        one.name, [partial(self._of, one.name)], one.unit, one.what
                    )

    def count(self, metric: Metric, amount: int, *of: str) -> None:
        """So many more; `of` are the values of the metric's attributes, in their order."""
        self._counts[metric.name][of] += amount

    def record(self, metric: Metric, value: float, *of: str) -> None:
        """Add one value to a histogram; `of` are the values of its attributes, in their order."""
        self._histograms[metric.name].record(value, dict(zip(metric.attributes, of, strict=True)))

    def show(self, metric: Metric, found: Mapping[tuple[str, ...], float]) -> None:
        """What a gauge says from now on, whole: what is not in it is no longer said."""
        self._shown[metric.name] = tuple(
            Observation(value, dict(zip(metric.attributes, of, strict=True)))
            for of, value in found.items()
        )

    def text(self) -> bytes:
        """As Prometheus reads it."""
        return generate_latest(self.registry)

    def close(self) -> None:
        """Send what is not sent yet."""
        self._provider.shutdown()

    def _counted(self, metric: Metric, _options: CallbackOptions) -> Iterable[Observation]:
        for of, amount in list(self._counts[metric.name].items()):
            yield Observation(amount, dict(zip(metric.attributes, of, strict=True)))

    def _of(self, name: str, _options: CallbackOptions) -> Iterable[Observation]:
        return self._shown.get(name, ())


@cache
def meters() -> Meters:
    """Those of this process."""
    return Meters(_senders())


def _senders() -> list[MetricReader]:
    if not any(os.environ.get(name) for name in OTLP):
        return []
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return [PeriodicExportingMetricReader(OTLPMetricExporter())]
