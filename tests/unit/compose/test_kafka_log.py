"""A key's partition is the one that every other Kafka client gives it."""

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from compose.kafka.log import partition_of


@given(st.binary(max_size=80), st.integers(1, 50))
def test_it_is_the_default_partitioners(key: bytes, partitions: int) -> None:
    every = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, every, every)


def test_the_vectors_of_apache_kafka() -> None:
    # org.apache.kafka.common.utils.UtilsTest.testMurmur2: the hash of each, positive, modulo a
    # prime
    hashes = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536}
    for key, hashed in hashes.items():
        assert partition_of(key, 10007) == (hashed & 0x7FFFFFFF) % 10007


def test_without_a_key_it_is_the_first() -> None:
    assert partition_of(None, 6) == 0
