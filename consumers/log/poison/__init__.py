"""Records that kill the process which has them in hand: counted before they are handled, and
parked alone.
"""
