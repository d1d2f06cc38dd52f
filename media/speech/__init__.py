"""What is said, as text: when somebody speaks, what of a recogniser's guesses stands, and what is nonsense.

Pure: blocks of sound, guesses and times come in, events go out. Recognisers, translators and voices are
adapters in `io`.
"""
