"""Lists that one exchange does not give: whole page sets, iterators over pages, bulk calls, cursors, walks by id.

Coroutine functions over an `esipy.engine.pipeline.Engine`, one text for both colours; `verbs` and `cursor_verbs`
give them theirs. Every part goes through the whole pipeline: it is cached, limited and retried by itself.
"""
