"""A NotPanel that runs on this machine: the documented contract over real HTTP, with a store of its own."""
