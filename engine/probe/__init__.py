"""Calls that are placed over a line to see how it does: what is said in them, how they are judged, who asks
for them.

plan.py      what to do in one call, and what is expected of it
call.py      the call itself, by a phone of sip.pjsip in a process of its own; blocks its thread
analysis.py  from what was recorded to figures; pure
result.py    figures, faults, the verdict and what to do about it; pure
ticket.py    the probe's own account at this node, for one call, and what the node sees of that call
desk.py      who may probe which line now; the schedule; where results go
"""
