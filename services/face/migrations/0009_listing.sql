-- For whoever compares all rows of a model: their numbers without their vectors, which are a hundred times larger.
CREATE INDEX idx_vectors_listing ON face.vectors (model, version, seq) INCLUDE (xid, performer_id)
WHERE state = 'active';
