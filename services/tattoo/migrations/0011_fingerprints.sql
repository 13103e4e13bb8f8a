-- What tells copies of a picture: chassis/fingerprint.py has the format. Null for rows from before, of which only the same
-- bytes are known to be the same picture, and for pictures too plain to be told from others.
ALTER TABLE tattoo.performer_tattoos ADD COLUMN fingerprint bytea CHECK (octet_length(fingerprint) = 152);

-- A view that the owner deleted does not come back by a copy either.
ALTER TABLE tattoo.deleted_views ADD COLUMN fingerprint bytea CHECK (octet_length(fingerprint) = 152);
