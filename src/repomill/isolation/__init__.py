"""Run a function on untrusted input in a process that can be killed whole.

::

    supervisor ── forkserver ── nanny ── worker ── git ── …
                  preloaded     one a call         whatever the call starts

The worker does the work under limits. Its nanny adopts every process that the worker leaves behind,
also one that called ``setsid``, and kills them all as soon as the worker ends, the supervisor says
so, or the supervisor is gone. The forkserver does the same for a nanny that dies. The supervisor
holds one end of a pipe for each call; the end of that pipe ends everything below.

Linux only in full: elsewhere there are no subreapers and no death signals, and a process that
leaves the worker's process group survives it.
"""
