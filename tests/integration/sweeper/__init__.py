"""The sweeper on real rows, partitions and files, with a clock that is moved."""
