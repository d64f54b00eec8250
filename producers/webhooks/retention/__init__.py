"""How long deliveries are kept, and how they go: by day as partitions and folders, or row by
row.
"""
