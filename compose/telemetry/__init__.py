"""What can be measured of this process, and how it is read."""
