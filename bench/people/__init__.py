"""Whether the gateway groups what belongs to one person: rendered pictures of several people."""
