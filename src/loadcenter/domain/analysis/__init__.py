"""What readings and events of a period say: energy and its cost, load, voltage quality, outages.

Every figure comes with its coverage, the part of the time that readings stand for. What is missing is None, never 0.
docs/analytics.md has the definition of each.
"""
