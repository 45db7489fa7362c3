"""The fault campaign: break things on purpose, many times, and look whether anything was lost.

`python -m faults.campaign --help` runs it; the tests beside this package run a short form of each point.
"""
