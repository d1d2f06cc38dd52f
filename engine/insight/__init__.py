"""Why a call was bad: its SIP messages, its quality over time, and what went wrong in words."""
