"""What the desk is made of: the pinned packages as a list for machines (sbom.py), and whether any is known to be
vulnerable (audit.py). Run by `make sbom` and `make audit`. Read pinned.py first."""
