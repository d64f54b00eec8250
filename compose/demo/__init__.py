"""The main job, shown and checked: real data sets through every part of the running stack."""
