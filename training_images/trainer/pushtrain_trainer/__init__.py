"""Runs a plain training script inside a container and records what it does.

It imports neither Airflow nor Docker nor the `pushtrain` package.
"""
