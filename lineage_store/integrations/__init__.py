"""Hooks that record the runs of orchestrators; docs/hooks.md has the rules that all of them keep.

A hook is two modules. The tool loads TOOL/hook.py: it costs nothing while LINEAGE_STORE_URL is not
set, and hands each event to a `Switch`. TOOL/events.py makes records of events, with a `Hook`.
"""
