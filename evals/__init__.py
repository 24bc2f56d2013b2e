"""Evaluation: labelled sets, measures, statistics, reports. Nothing of the app or its pages."""
