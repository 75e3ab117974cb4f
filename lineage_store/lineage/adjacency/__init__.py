"""The whole graph in memory: arrays of numbers for old events, lists for new ones.

Events and nodes are numbered. An event's number is its place in the log of events; a node's is its
place among the nodes of its kind that have events, by id for those in the arrays, as they came for
the others. Everything that is looked up by number is an array or a list.
"""
