"""Enrolling images: one person of each is the performer, and only that person's evidence is learned."""
