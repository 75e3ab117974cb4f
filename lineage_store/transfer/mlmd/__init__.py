"""Databases of ML Metadata read into a store, and a store written as one."""
