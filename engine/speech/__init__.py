"""Speech on live calls: captions, translation and interpretation, wired to calls."""
