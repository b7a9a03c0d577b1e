"""Rules of others that the desk is held to: requirement by requirement in asvs.md, and the Observatory's score."""
