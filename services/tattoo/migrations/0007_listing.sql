-- For whoever compares all rows of a model: their numbers without their vectors, which are a hundred times larger.
CREATE INDEX idx_performer_tattoos_listing ON tattoo.performer_tattoos (model, version, seq)
INCLUDE (xid, performer_id);
