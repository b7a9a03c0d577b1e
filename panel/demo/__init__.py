"""The whole desk on one machine, for a first look: its programs, its team and its past."""
