"""Evaluation: labelled sets, measures, statistics, reports. Knows nothing of the app or its pages."""
