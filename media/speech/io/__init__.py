"""Recognisers, translators and voices behind their interfaces: libraries, child processes, servers."""
