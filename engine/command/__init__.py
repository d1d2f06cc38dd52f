"""What each command does: one module a noun, imported when its command is given. All of what they take stands
in engine/command/parser.py.
"""
