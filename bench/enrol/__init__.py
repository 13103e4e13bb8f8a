"""How fast performers and vectors get into the database and the index, and how fast they are looked up."""
